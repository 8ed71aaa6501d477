#include "store/store_formats.h"

#include "store/alert_rows.h"
#include "store/event_archive.h"
#include "store/rule_rows.h"
#include "store/schema.h"

namespace keyvigil {

std::array<FormatVersions, 5> store_formats() {
  return {versions_of(store_form(), "store"), kAlertFormats, kRuleFormats,
          versions_of(EventArchive::form(), "events-file"), EventArchive::kBlockFormats};
}

}  // namespace keyvigil
