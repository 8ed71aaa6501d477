// Any bytes as a page of a TAXII collection: an error, or indicators that are objects of the page and make a list.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bounded_json.h"
#include "base/check.h"
#include "serve/list_feed.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyvigil;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto page = parse_taxii_page(text);
  if (!page) {
    CHECK(!page.error().message.empty());
    return 0;
  }
  const auto whole = parse_bounded_json(text);
  CHECK(whole.is_object());
  std::string bundle;
  for (const std::string_view indicator : page->indicators) {
    CHECK(parse_bounded_json(indicator).at("type") == "indicator");
    bundle += bundle.empty() ? "" : ",";
    bundle += indicator;
  }
  const auto list = parse_threat_list("fuzz", R"({"type":"bundle","objects":[)" + bundle + "]}", {});
  CHECK(list || !list.error().message.empty());
  return 0;
}
