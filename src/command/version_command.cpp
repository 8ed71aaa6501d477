#include "command/version_command.h"

#include <fmt/format.h>

#include <vector>

#include "alert/product.h"
#include "engine/checkpoint.h"
#include "store/store_formats.h"

namespace keyvigil {

std::string version_text() {
  std::vector<FormatVersions> formats{Checkpoint::kVersions};
  for (const FormatVersions& format : store_formats()) { formats.push_back(format); }
  std::string text = fmt::format("keyvigil {}\n\n{:<18}{:<8}{}\n", product_version(), "format", "reads", "writes");
  for (const FormatVersions& format : formats) {
    const std::string reads = format.oldest == format.newest ? fmt::format("{}", format.newest)
                                                             : fmt::format("{}-{}", format.oldest, format.newest);
    text += fmt::format("{:<18}{:<8}{}\n", format.name, reads, format.newest);
  }
  return text;
}

}  // namespace keyvigil
