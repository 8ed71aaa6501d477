"""azure-mgmt-security of Debian, unmodified, against a running service.

Environment: KEYVIGIL_URL, KEYVIGIL_TOKEN, KEYVIGIL_SUBSCRIPTION, KEYVIGIL_GROUP, KEYVIGIL_ALERTS, KEYVIGIL_AUTHORITY.
"""
import os
import time

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
from azure.mgmt.security import SecurityCenter

URL = os.environ["KEYVIGIL_URL"]
SUBSCRIPTION = os.environ["KEYVIGIL_SUBSCRIPTION"]
GROUP = os.environ["KEYVIGIL_GROUP"]
EXPECTED = int(os.environ["KEYVIGIL_ALERTS"])


class Credential:
    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **kwargs):
        return AccessToken(self.token, int(time.time()) + 3600)


def client_with(token):
    return SecurityCenter(Credential(token), SUBSCRIPTION, base_url=URL,
                          connection_verify=os.environ["KEYVIGIL_AUTHORITY"],
                          credential_scopes=["https://management.azure.com/.default"])


client = client_with(os.environ["KEYVIGIL_TOKEN"])
alerts = [alert for alert in client.alerts.list() if not alert.alert_type.startswith("SIMULATED_")]
assert len(alerts) == EXPECTED, (len(alerts), EXPECTED)
assert all(alert.start_time_utc.tzinfo is not None for alert in alerts)
assert all(alert.entities[0].type for alert in alerts)
name = alerts[0].name
client.alerts.update_subscription_level_state_to_in_progress("global", name)
assert client.alerts.get_subscription_level("global", name).status == "InProgress"
client.alerts.update_resource_group_level_state_to_resolve(GROUP, "global", name)
assert client.alerts.get_resource_group_level(GROUP, "global", name).status == "Resolved"
client.alerts.update_subscription_level_state_to_activate("global", name)
assert client.alerts.get_subscription_level("global", name).status == "Active"
poller = client.alerts.begin_simulate("global", {"properties": {"kind": "Bundles", "bundles": ["KeyVaults"]}})
poller.result(60)
assert poller.status() == "Succeeded", poller.status()
assert len({alert.alert_type for alert in client.alerts.list() if alert.alert_type.startswith("SIMULATED_KV_")}) == 14
for missing in (lambda: client.alerts.get_subscription_level("global", "2517_none"),
                lambda: client.alerts_suppression_rules.get("none")):
    try:
        missing()
    except ResourceNotFoundError:
        continue
    raise AssertionError("expected ResourceNotFoundError")
try:
    list(client_with("nobody").alerts.list())
except ClientAuthenticationError:
    pass
else:
    raise AssertionError("expected ClientAuthenticationError")
print(f"azure-mgmt-security: {len(alerts)} alerts")
