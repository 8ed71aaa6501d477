#include "source/date_order_survey.h"

#include <utility>

#include "event/csv.h"

namespace keyvigil {

Result<std::optional<DateOrder>> survey_date_order(ReadBytes read, const FramingOptions& options) {
  FramingOptions own = options;
  own.date_order = DateOrder::kMonthFirst;  // so that the framer does not ask in its turn
  Framer framer(std::move(read), own);
  DateOrderEvidence evidence;
  std::string scratch;
  std::vector<std::string_view> cells;
  RawBatch batch;
  while (true) {
    const Result<bool> more = framer.next(batch);
    if (!more) return tl::unexpected(more.error());
    if (!*more || framer.position() > kSurveyLimitBytes) return evidence.order();
    if (batch.form != RecordForm::kRowCsv || !batch.columns || !batch.columns->time_column()) continue;
    const std::size_t column = *batch.columns->time_column();
    for (const RawRecord& row : batch.records) {
      const bool fits = split_csv_row(batch.view(row), scratch, cells, batch.columns->separator());
      if (!fits || cells.size() != batch.columns->size()) continue;
      if (const std::optional<LocaleTime> time = read_locale_time(cells[column])) evidence.add(*time);
      if (evidence.is_settled()) return evidence.order();
    }
  }
}

}  // namespace keyvigil
