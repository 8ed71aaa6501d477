// @azure/monitor-ingestion, unmodified: uploads the records of a file of JSON lines.
// Environment: KEYVIGIL_URL, KEYVIGIL_TOKEN, KEYVIGIL_RECORDS (a file).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { AggregateLogsUploadError, LogsIngestionClient } from "@azure/monitor-ingestion";

const { KEYVIGIL_URL: endpoint, KEYVIGIL_TOKEN: token, KEYVIGIL_RECORDS: file } = process.env;
const credential = (text) => ({ getToken: async () => ({ token: text, expiresOnTimestamp: Date.now() + 3600_000 }) });
const records = readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const rule = "dcr-00000000000000000000000000000000";

const client = new LogsIngestionClient(endpoint, credential(token));
await client.upload(rule, "Custom-KeyVault_CL", records, { maxConcurrency: 5 });

const stranger = new LogsIngestionClient(endpoint, credential("nobody"));
await assert.rejects(stranger.upload(rule, "Custom-KeyVault_CL", records.slice(0, 3)),
                     (error) => error instanceof AggregateLogsUploadError && error.errors[0].cause.statusCode === 401);
console.log(`monitor-ingestion: ${records.length} records`);
