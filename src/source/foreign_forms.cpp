#include "source/foreign_forms.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace keyvigil {

namespace {

struct ForeignForm {
  std::size_t offset;
  std::string_view magic;
  std::string_view advice;
};

constexpr std::array kForms{
    ForeignForm{0, "PAR1",
                "a Parquet file; convert it to JSON lines first, for example in Python: pandas.read_parquet(FILE)"
                ".to_json(OUT, orient=\"records\", lines=True, date_format=\"iso\")"},
    ForeignForm{0, "PK\x03\x04", "a zip archive inside another file; unpack the outer one and read the zip"},
    ForeignForm{0, "Obj\x01", "an Avro file inside another one; unpack the outer one"},
    ForeignForm{0, "ORC", "an ORC file; convert it to JSON lines first"},
    ForeignForm{0, "7z\xBC\xAF\x27\x1C", "a 7z archive; unpack it and read the folder"},
    ForeignForm{0, "Rar!\x1A\x07", "a RAR archive; unpack it and read the folder"},
    ForeignForm{0, std::string_view("\xFD\x37zXZ\0", 6),
                "an xz file; decompress it first (xz -d), gzip and zstd are read as they are"},
    ForeignForm{0, "BZh", "a bzip2 file; decompress it first (bzip2 -d), gzip and zstd are read as they are"},
    ForeignForm{0, "\x04\x22\x4D\x18", "an lz4 file; decompress it first (lz4 -d), gzip and zstd are read as they are"},
    ForeignForm{257, "ustar", "a tar archive; unpack it (tar -xf) and read the folder"},
    ForeignForm{0, std::string_view("ElfFile\0", 8),
                "a Windows event log (evtx); Key Vault writes none: export the vault's own log"},
    ForeignForm{0, std::string_view("SQLite format 3\0", 16),
                "an SQLite database; export the table as CSV or JSON lines"},
    ForeignForm{0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel workbook (xls); save the sheet as CSV"},
    ForeignForm{0, "%PDF", "a PDF; export the records as CSV or JSON"},
};

}  // namespace

std::optional<std::string_view> foreign_form(std::string_view head) {
  const auto found = std::ranges::find_if(kForms, [head](const ForeignForm& form) {
    return head.size() > form.offset && head.substr(form.offset).starts_with(form.magic);
  });
  if (found != kForms.end()) return found->advice;
  for (const std::string_view begin : {std::string_view("<!doctype html"), std::string_view("<html")}) {
    if (equal_without_case(head.substr(0, begin.size()), begin)) {
      return "a web page, perhaps one that asks to sign in; download the file itself";
    }
  }
  if (head.starts_with("<?xml")) return "XML, as Azure Storage writes its errors; read the file for what it says";
  return std::nullopt;
}

}  // namespace keyvigil
