// @azure/arm-security, unmodified, against a running service: list with paging, get, states, simulate, rules.
// Environment: KEYVIGIL_URL, KEYVIGIL_TOKEN, KEYVIGIL_SUBSCRIPTION, KEYVIGIL_GROUP, KEYVIGIL_ALERTS (how many to expect).
import assert from "node:assert/strict";
import { SecurityCenter } from "@azure/arm-security";

const { KEYVIGIL_URL: endpoint, KEYVIGIL_TOKEN: token, KEYVIGIL_SUBSCRIPTION: subscription,
        KEYVIGIL_GROUP: group, KEYVIGIL_ALERTS: expected } = process.env;
const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600_000 }) };
const client = new SecurityCenter(credential, subscription, { endpoint });
const location = "global";

async function all(pages) {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
}

let pages = 0;
for await (const page of client.alerts.list().byPage()) pages += page.length > 0 ? 1 : 0;
const alerts = await all(client.alerts.list());
assert.equal(alerts.length, Number(expected));
assert.ok(pages > 1, `expected more than one page, found ${pages}`);
assert.equal(new Set(alerts.map((alert) => alert.name)).size, alerts.length);
const names = alerts.map((alert) => alert.name);
assert.deepEqual(names, [...names].sort(), "newest first, as the names sort");
for (const alert of alerts) {
  assert.match(alert.alertType, /^KV_/);
  assert.ok(alert.startTimeUtc instanceof Date && !Number.isNaN(alert.startTimeUtc.getTime()));
  assert.equal(alert.status, "Active");
  assert.equal(alert.resourceIdentifiers[0].type, "AzureResource");
  assert.equal(typeof alert.extendedProperties["attacker IP Address"], "string");
}
assert.equal((await all(client.alerts.listByResourceGroup(group))).length, alerts.length);
assert.equal((await all(client.alerts.listByResourceGroup("no-such-group"))).length, 0);
assert.equal((await all(client.alerts.listSubscriptionLevelByRegion(location))).length, alerts.length);
assert.equal((await all(client.alerts.listResourceGroupLevelByRegion(location, group))).length, alerts.length);

const name = alerts[0].name;
const status = async () => (await client.alerts.getSubscriptionLevel(location, name)).status;
assert.equal((await client.alerts.getResourceGroupLevel(location, name, group)).name, name);
await client.alerts.updateSubscriptionLevelStateToDismiss(location, name);
assert.equal(await status(), "Dismissed");
await client.alerts.updateSubscriptionLevelStateToDismiss(location, name);
assert.equal(await status(), "Dismissed");
await client.alerts.updateSubscriptionLevelStateToResolve(location, name);
assert.equal(await status(), "Resolved");
await client.alerts.updateResourceGroupLevelStateToActivate(location, name, group);
assert.equal(await status(), "Active");
await assert.rejects(client.alerts.getSubscriptionLevel(location, "2517_no-such-alert"),
                     (error) => error.statusCode === 404 && typeof error.code === "string");

const rule = { alertType: "KV_TORAccess", reason: "Other", state: "Enabled", comment: "a drill",
               expirationDateUtc: new Date("2040-01-01T00:00:00Z"),
               suppressionAlertsScope: { allOf: [{ field: "entities.ip.address", in: ["203.0.113.66"] }] } };
const put = await client.alertsSuppressionRules.update("drill", rule);
assert.equal(put.name, "drill");
const got = await client.alertsSuppressionRules.get("drill");
assert.equal(got.alertType, "KV_TORAccess");
assert.equal(got.state, "Enabled");
assert.deepEqual(got.suppressionAlertsScope.allOf[0].in, ["203.0.113.66"]);
assert.equal(got.expirationDateUtc.toISOString(), "2040-01-01T00:00:00.000Z");
assert.equal((await all(client.alertsSuppressionRules.list({ alertType: "KV_TORAccess" }))).length, 1);
assert.equal((await all(client.alertsSuppressionRules.list({ alertType: "KV_ListGetAnomaly" }))).length, 0);
await client.alertsSuppressionRules.delete("drill");
await assert.rejects(client.alertsSuppressionRules.get("drill"), (error) => error.statusCode === 404);
assert.equal((await all(client.alertsSuppressionRules.list())).length, 0);

await client.alerts.simulate(location, { properties: { kind: "Bundles", bundles: ["KeyVaults"] } });
const simulated = (await all(client.alerts.list())).filter((alert) => alert.alertType.startsWith("SIMULATED_KV_"));
assert.equal(new Set(simulated.map((alert) => alert.alertType)).size, 14);
assert.ok(simulated.every((alert) => alert.alertDisplayName.startsWith("[SAMPLE ALERT] ")));

assert.ok((await all(client.locations.list())).length >= 1);
const stranger = new SecurityCenter({ getToken: async () => ({ token: "nobody", expiresOnTimestamp: Date.now() + 1e6 }) },
                                    subscription, { endpoint });
await assert.rejects(all(stranger.alerts.list()), (error) => error.statusCode === 401);
console.log(`arm-security: ${alerts.length} alerts on ${pages} pages`);
