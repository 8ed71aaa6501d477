#include "serve/service_metrics.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <utility>

#include "alert/printable.h"
#include "catalogue/catalogue.h"

namespace keyvigil {
namespace {

constexpr std::size_t kLabelBytes = 1024;

std::string label_value(std::string_view text) {
  std::string out;
  for (const char byte : harmless(bounded_utf8(text, kLabelBytes))) {
    if (byte == '"' || byte == '\\') { out += '\\'; }
    out += byte;
  }
  return out;
}

double seconds(EventTime time) {
  return static_cast<double>(time.milliseconds()) / 1000;
}

class MetricsWriter {
 public:
  void describe(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP keyvigil_{} {}\n# TYPE keyvigil_{} {}\n", name, help, name, type);
  }
  template <typename Number>
  void add(Number value) {
    text_ += fmt::format("keyvigil_{} {}\n", name_, value);
  }
  template <typename Number>
  void add(std::string_view label, std::string_view of, Number value) {
    text_ += fmt::format("keyvigil_{}{{{}=\"{}\"}} {}\n", name_, label, label_value(of), value);
  }
  template <typename Number>
  void add(std::string_view label, std::string_view of, std::string_view label_more, std::string_view of_more,
           Number value) {
    text_ += fmt::format("keyvigil_{}{{{}=\"{}\",{}=\"{}\"}} {}\n", name_, label, label_value(of), label_more,
                         label_value(of_more), value);
  }
  template <typename Number>
  void single(std::string_view name, std::string_view type, std::string_view help, Number value) {
    describe(name, type, help);
    add(value);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string_view name_;
  std::string text_;
};

void write_inputs(MetricsWriter& writer, const LiveFigures& live) {
  writer.describe("records_total", "counter", "Records received, whatever became of them");
  for (const InputHealth& input : live.inputs) { writer.add("input", input.name, input.records); }
  writer.describe("records_refused_total", "counter", "Records that could not be used, by cause");
  for (const InputHealth& input : live.inputs) {
    for (const auto& [cause, count] : input.refused_by_cause) {
      writer.add("input", input.name, "cause", cause, count);
    }
  }
  writer.describe("records_skipped_total", "counter", "Records of other categories and services");
  for (const InputHealth& input : live.inputs) { writer.add("input", input.name, input.skipped); }
  writer.describe("addresses_unreadable_total", "counter", "Events whose address cannot be read and counts as unknown");
  for (const InputHealth& input : live.inputs) { writer.add("input", input.name, input.unreadable_addresses); }
  writer.describe("input_newest_event_seconds", "gauge", "Event time of the newest event of an input");
  for (const InputHealth& input : live.inputs) {
    if (input.newest_event) { writer.add("input", input.name, seconds(*input.newest_event)); }
  }
  writer.describe("input_last_received_seconds", "gauge", "Wall clock at which an input brought something last");
  for (const InputHealth& input : live.inputs) {
    if (input.last_received) { writer.add("input", input.name, seconds(*input.last_received)); }
  }
  writer.describe("input_failing", "gauge", "1 while an input cannot be read");
  for (const InputHealth& input : live.inputs) {
    writer.add("input", input.name, input.report.failure.empty() ? 0 : 1);
  }
  writer.describe("input_items_failing", "gauge", "Files or blobs that could not be read when they were tried last");
  for (const InputHealth& input : live.inputs) { writer.add("input", input.name, input.report.items_failing); }
  writer.describe("input_item_failures_total", "counter", "Attempts to read a file or blob that failed");
  for (const InputHealth& input : live.inputs) { writer.add("input", input.name, input.report.item_failures); }
  writer.describe("input_items_passed_over", "gauge", "Files or blobs that are too large to be taken");
  for (const InputHealth& input : live.inputs) { writer.add("input", input.name, input.report.items_passed_over); }
  writer.describe("input_items_left_out", "gauge", "Files or blobs that are too many or could not be listed");
  for (const InputHealth& input : live.inputs) { writer.add("input", input.name, input.report.items_left_out); }
  writer.describe("list_confirmed_seconds", "gauge", "Wall clock of the newest good answer of a list by URL");
  for (const ListHealth& list : live.lists) {
    if (list.confirmed) { writer.add("list", list.name, seconds(*list.confirmed)); }
  }
  writer.describe("list_failing", "gauge", "1 while a list by URL cannot be had or is held back");
  for (const ListHealth& list : live.lists) { writer.add("list", list.name, list.failure.empty() ? 0 : 1); }
  // A file may be named twice.
  std::map<std::pair<std::string, std::string>, std::pair<std::uint64_t, std::uint64_t>> lists;
  for (const ListInForce& list : live.lists_in_force) { lists[{list.name, list.role}] = {list.entries, list.refused}; }
  writer.describe("list_entries", "gauge", "Entries of the lists in force");
  for (const auto& [list, counts] : lists) { writer.add("list", list.first, "role", list.second, counts.first); }
  writer.describe("list_entries_refused", "gauge", "Entries of these lists that were not taken");
  for (const auto& [list, counts] : lists) { writer.add("list", list.first, "role", list.second, counts.second); }
  writer.describe("problem", "gauge",
                  "1 for each thing that is wrong with the service now, by kind and what it is about");
  for (const ServiceProblem& problem : live.problems) { writer.add("kind", problem.kind, "about", problem.about, 1); }
}

void write_decisions(MetricsWriter& writer, const ServiceFigures& figures) {
  const LiveFigures& live = figures.live;
  writer.single("events_decided_total", "counter", "Events decided", live.events_decided);
  writer.single("duplicates_total", "counter", "Records that had come before", live.duplicates);
  writer.single("decided_before_total", "counter", "Of these, those that came after the time of their first had passed",
                live.decided_before);
  writer.single("too_old_total", "counter",
                "Records left out, of which it is no longer known whether they were decided", live.too_old);
  if (live.decided_known_from) {
    writer.single("decided_known_from_seconds", "gauge",
                  "Event time from which on it is known which events were decided", seconds(*live.decided_known_from));
  }
  writer.single("late_total", "counter", "Events decided after their time had passed", live.late);
  writer.single("future_refused_total", "counter", "Records ahead of the clock", live.future_refused);
  writer.single("clock_held", "gauge", "Pieces of input that wait until this machine's clock is right",
                live.clock_held);
  writer.single("clock_holds_total", "counter", "Times that such a piece was not taken", live.clock_holds);
  writer.single("events_held", "gauge", "Events that wait for the watermark", live.held);
  writer.single("callers_evicted_total", "counter", "Callers forgotten for want of room", live.evicted_callers);
  writer.single("vaults_evicted_total", "counter", "Vaults forgotten for want of room", live.evicted_vaults);
  writer.single("edges_evicted_total", "counter", "What callers touch, forgotten for want of room", live.evicted_edges);
  writer.single("objects_forgotten_total", "counter", "Objects no longer known as read, for want of room",
                live.forgotten_objects);
  writer.single("alerts_closed_early_total", "counter", "Open alerts closed for want of room",
                live.alerts_closed_early);
  writer.single("evidence_left_out_total", "counter", "Records and objects for which alerts had no room",
                live.evidence_left_out);
  writer.describe("bound_met_total", "counter", "What was forgotten or left out for want of room, by what it was");
  for (const BoundMet& bound : live.bounds) { writer.add("bound", bound.name, bound.count); }
  writer.single("vaults_silent", "gauge", "Vaults that are quiet for longer than they ever were",
                live.silent_vaults_total);
  writer.single("vaults_not_watched_total", "counter", "Vaults that are not watched for silence for want of room",
                live.vaults_not_watched);
  writer.single("events_spilled_total", "counter", "Events that waited on disk", live.spilled);
  writer.describe("detector_seconds_total", "counter",
                  "Time in each detector since the start, estimated from one decision in many");
  for (const CatalogueRow& row : catalogue()) {
    const auto spent = live.detector_seconds.find(row.type);
    writer.add("type", row.code, spent == live.detector_seconds.end() ? 0 : spent->second);
  }
  writer.describe("alerts_raised_total", "counter", "Alerts raised, by type");
  for (const CatalogueRow& row : catalogue()) {
    const auto raised = live.alerts_raised.find(row.type);
    writer.add("type", row.code, raised == live.alerts_raised.end() ? 0 : raised->second);
  }
  if (live.decided_to) {
    writer.single("decided_to_seconds", "gauge", "Event time of the newest decided event", seconds(*live.decided_to));
    writer.single("lag_seconds", "gauge", "Wall clock less the event time of the newest decided event",
                  seconds(figures.now) - seconds(*live.decided_to));
  }
  writer.single("checkpoints_total", "counter", "Checkpoints since the start", live.checkpoints);
  writer.single("checkpoint_seconds", "gauge", "Duration of the last checkpoint", live.checkpoint_seconds);
}

void write_store(MetricsWriter& writer, const ServiceFigures& figures) {
  const StoreFigures& store = figures.store;
  writer.single("journal_entries", "gauge", "Entries of the journal that no checkpoint covers", store.journal_entries);
  writer.single("journal_bytes", "gauge", "Bytes of these", store.journal_bytes);
  writer.single("journal_waiting_bytes", "gauge", "Bytes received and not decided yet", figures.journal_waiting_bytes);
  writer.single("alerts_stored", "gauge", "Alerts in the store", store.alerts);
  writer.single("events_kept", "gauge", "Decided events that are kept for timelines", store.events.events);
  writer.single("events_kept_bytes", "gauge", "Bytes of these, compressed", store.events.bytes);
  if (store.events.oldest) {
    writer.single("events_kept_since_seconds", "gauge", "Event time of the oldest of these",
                  seconds(*store.events.oldest));
  }
  writer.single("outbox", "gauge", "Revisions that wait for an output", store.outbox);
  writer.single("dead_letters", "gauge", "Revisions that no output took", store.dead_letters);
  writer.single("outbox_orphaned_total", "counter",
                "Revisions that became dead letters since the start, since their output is no longer configured",
                figures.orphaned_revisions);
  writer.single("store_bytes", "gauge", "Size of the store's file", store.file_bytes);
  writer.single("store_commits_total", "counter", "Transactions since the start", store.commits);
}

void write_outputs(MetricsWriter& writer, const std::vector<OutputFigures>& outputs) {
  writer.describe("output_delivered_total", "counter", "Revisions that an output has taken");
  for (const OutputFigures& output : outputs) { writer.add("output", output.name, output.delivered); }
  writer.describe("output_failed_attempts_total", "counter", "Attempts that failed");
  for (const OutputFigures& output : outputs) { writer.add("output", output.name, output.failed_attempts); }
  writer.describe("output_dead_letters_total", "counter", "Revisions given up");
  for (const OutputFigures& output : outputs) { writer.add("output", output.name, output.dead_letters); }
  writer.describe("output_not_taken_total", "counter", "Revisions that the filter of an output left out");
  for (const OutputFigures& output : outputs) { writer.add("output", output.name, output.not_taken); }
  writer.describe("output_failing", "gauge", "1 while an output cannot deliver");
  for (const OutputFigures& output : outputs) { writer.add("output", output.name, output.failure.empty() ? 0 : 1); }
  writer.describe("output_last_delivered_seconds", "gauge", "Wall clock of the last delivery");
  for (const OutputFigures& output : outputs) {
    if (output.last_delivered) { writer.add("output", output.name, seconds(*output.last_delivered)); }
  }
}

void write_http(MetricsWriter& writer, const HttpFigures& http) {
  writer.describe("http_responses_total", "counter", "Responses by status");
  for (const auto& [status, count] : http.responses) { writer.add("status", fmt::format("{}", status), count); }
  writer.describe("http_refused_total", "counter", "Requests refused, by cause");
  for (const auto& [cause, count] : http.refused) { writer.add("cause", cause, count); }
  writer.describe("http_connections_refused_total", "counter", "Connections refused, by cause");
  for (const auto& [cause, count] : http.connections_refused) { writer.add("cause", cause, count); }
  writer.describe("http_timeouts_total", "counter", "Connections closed for slowness, by what they were slow at");
  for (const auto& [cause, count] : http.timeouts) { writer.add("cause", cause, count); }
  writer.single("http_connections", "gauge", "Connections now", http.connections_now);
  writer.single("http_connections_total", "counter", "Connections since the start", http.connections);
  writer.single("http_failed_handshakes_total", "counter", "TLS handshakes that failed", http.failed_handshakes);
  writer.single("http_requests", "gauge", "Requests now", http.requests_now);
  writer.single("http_handler_failures_total", "counter", "Handlers that failed", http.handler_failures);
  writer.single("http_audit_lines_dropped_total", "counter", "Lines of the audit trail beyond what is kept in a second",
                http.audit_lines_dropped);
  writer.single("http_event_streams_dropped_total", "counter", "Event streams ended, for slow readers and full feeds",
                http.event_streams_dropped);
  writer.single("http_handler_seconds_total", "counter", "Time in handlers", http.handler_seconds);
  writer.single("http_received_bytes_total", "counter", "Bytes of bodies received", http.body_bytes_received);
  writer.single("http_sent_bytes_total", "counter", "Bytes of bodies sent", http.body_bytes_sent);
  writer.single("http_event_streams", "gauge", "Event streams now", http.event_streams_now);
  if (http.certificate_expires) {
    writer.single("certificate_expires_seconds", "gauge", "Wall clock at which the certificate expires",
                  seconds(*http.certificate_expires));
  }
}

void write_reloads(MetricsWriter& writer, const ReloadFigures& reloads) {
  writer.describe("configuration_reloads_total", "counter", "Reloads of the configuration, by what came of them");
  writer.add("outcome", "done", reloads.done);
  writer.add("outcome", "refused", reloads.refused);
  writer.single("configuration_last_reload_successful", "gauge",
                "0 while the configuration that was read last is not in force", reloads.failure.empty() ? 1 : 0);
  if (reloads.last) {
    writer.single("configuration_last_reload_seconds", "gauge", "Wall clock of the last reload",
                  seconds(*reloads.last));
  }
}

}  // namespace

std::string metrics_text(const ServiceFigures& figures) {
  MetricsWriter writer;
  write_inputs(writer, figures.live);
  write_decisions(writer, figures);
  write_store(writer, figures);
  write_outputs(writer, figures.outputs);
  write_reloads(writer, figures.reloads);
  if (figures.http) { write_http(writer, *figures.http); }
  writer.single("log_warnings_left_out_total", "counter",
                "Warnings that are not in the log, since they had been said less than a minute ago",
                figures.warnings_left_out);
  writer.single("resident_bytes", "gauge", "Memory of the process", figures.resident_bytes);
  writer.single("started_seconds", "gauge", "Wall clock at the start", seconds(figures.started));
  return writer.take();
}

std::string metrics_text(const std::map<AlertType, std::uint64_t>& alerts) {
  MetricsWriter writer;
  writer.describe("alerts_stored_by_type", "gauge", "Alerts in the store, of the subscriptions of who asks");
  for (const CatalogueRow& row : catalogue()) {
    const auto stored = alerts.find(row.type);
    writer.add("type", row.code, stored == alerts.end() ? 0 : stored->second);
  }
  return writer.take();
}

}  // namespace keyvigil
