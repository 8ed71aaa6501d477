// @azure/storage-blob, unmodified: appends the records of a folder of blobs to a container, hour by hour, a few blocks
// each, as Azure's diagnostic settings do. Environment: KEYVIGIL_CONNECTION, KEYVIGIL_BLOBS (a folder).
// Prints the URL of the container with a SAS.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { BlobServiceClient, ContainerSASPermissions } from "@azure/storage-blob";

const { KEYVIGIL_CONNECTION: connection, KEYVIGIL_BLOBS: folder } = process.env;
const container = BlobServiceClient.fromConnectionString(connection).getContainerClient("insights-logs-auditevent");
await container.createIfNotExists();
console.log(await container.generateSasUrl({ permissions: ContainerSASPermissions.parse("rl"),
                                             expiresOn: new Date(Date.now() + 3600_000) }));

function files(at) {
  return readdirSync(at).sort().flatMap((name) => {
    const path = join(at, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}
const hour = (path) => path.slice(path.indexOf("/y="));
for (const path of files(folder).sort((a, b) => hour(a) < hour(b) ? -1 : hour(a) > hour(b) ? 1 : 0)) {
  const blob = container.getAppendBlobClient(relative(folder, path));
  await blob.createIfNotExists();
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length;) {  // blocks end where they end, also within a record
    const size = Math.min(bytes.length - at, 1 + Math.floor(bytes.length / 3));
    await blob.appendBlock(bytes.subarray(at, at + size), size);
    at += size;
  }
}
console.log("filled");
