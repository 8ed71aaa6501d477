// Where records come in over HTTP: the Logs Ingestion API as Azure Monitor's clients speak it, and POST /v1/logs, which
// takes any form that `keyvigil detect` reads.
//
// A request is acknowledged when its bytes are durable, and is all or nothing: single records in it that cannot be used
// are counted in the answer. Bodies are plain, gzip or zstd.
// Source: recorded requests of @azure/monitor-ingestion 1.2.0 (api-version 2023-01-01) and
// azure-monitor-ingestion 1.0.0b2 (2021-11-01-preview).
#pragma once

#include <cstddef>

#include "api/ingest.h"
#include "api/router.h"

namespace keyvigil {

struct IngestRoutes {
  const Ingest& ingest;  // outlives the router, as the next
  const ForgetInput& forget;
  std::size_t logs_body_bytes = std::size_t{64} << 20;  // of /v1/logs, as received
};

void add_ingest_routes(Router& router, const IngestRoutes& needs);

}  // namespace keyvigil
