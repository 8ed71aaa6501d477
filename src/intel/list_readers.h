// Readers of the single formats. Each takes the whole text and fills the builder; threat_list.cpp chooses by content.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "intel/list_builder.h"

namespace keyvigil {

// Lines. The text is free of a byte order mark.
void read_plain_list(std::string_view text, ListBuilder& builder);
void read_tor_exit_addresses(std::string_view text, ListBuilder& builder);
void read_ipsum(std::string_view text, ListBuilder& builder);
[[nodiscard]] Result<void> read_feodo_csv(std::string_view text, ListBuilder& builder);
void read_threatfox_csv(std::string_view text, ListBuilder& builder);
void read_sslbl_csv(std::string_view text, ListBuilder& builder);
// The column by which the header of an export of Sentinel is known; empty: it is none.
[[nodiscard]] std::string_view sentinel_key_column(std::string_view header);
// `key`: that column.
void read_sentinel_csv(std::string_view text, std::string_view key, ListBuilder& builder);
[[nodiscard]] bool is_dshield_row(std::string_view line);
void read_dshield_block(std::string_view text, ListBuilder& builder);
// The format that the first line which is no comment speaks of, or a header in a comment before it.
[[nodiscard]] ListFormat guess_text_format(std::string_view text);

// JSON: finds out which format it is.
[[nodiscard]] Result<void> read_json_list(std::string_view text, ListBuilder& builder);
[[nodiscard]] bool looks_like_json(std::string_view text);
// One row of Sentinel's indicators a line.
[[nodiscard]] bool looks_like_sentinel_lines(std::string_view text);
void read_sentinel_lines(std::string_view text, ListBuilder& builder);

// What a list says about its own date, as ISO where it can be read, else as it stands:
// "Fri Nov 13 17:18:59 UTC 2015", "Tue, 16 Aug 2016 08:33:46 GMT", "Sat, 22 Aug 2026 03:00:29 +0200", ISO.
[[nodiscard]] std::string read_list_date(std::string_view text);

// The first line that is no comment and not blank, with its number; number 0 where there is none.
struct TextLine {
  std::uint64_t number = 0;
  std::string_view text;  // trimmed
};
[[nodiscard]] TextLine first_data_line(std::string_view text);

}  // namespace keyvigil
