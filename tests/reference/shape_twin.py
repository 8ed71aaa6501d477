"""The twin of the other shapes: OCSF, ECS, GELF, CEF, CSV, the Event Hub export and STIX, judged by the records.

A shape may leave out, and may not say what the records of the alert do not. Its judge is an `evidence_twin.Audit` of
the same alert, whose events are the log's own. Standard library only.
"""
import csv
import json
import re

from evidence_twin import milliseconds, succeeded


def outcome_of(events):
    if any(succeeded(event) for event in events):
        return "success"
    return "failure" if any(event.status in (401, 403) for event in events) else "unknown"


def camel_case(json_value):
    """As ARM spells the keys that the export begins with a capital."""
    if isinstance(json_value, list):
        return [camel_case(item) for item in json_value]
    if not isinstance(json_value, dict):
        return json_value
    return {key[:1].lower() + key[1:]: camel_case(item) for key, item in json_value.items()}


class ShapeAudit:
    def __init__(self, audit):
        self.audit = audit
        self.alert = audit.alert
        self.observed = audit.observed
        self.suspicious = audit.parts("cause", "suspicious")
        self.untrue = []
        self.claims = 0

    def holds(self, truth, claim):
        self.claims += 1
        if not truth:
            self.untrue.append(f"{self.audit.type} {self.audit.name}: {claim}")

    def holds_if_whole(self, truth, claim):
        if self.audit.is_whole():
            self.holds(truth, claim)

    def span(self, first, last):
        """Milliseconds: the first and the last suspicious event."""
        self.holds_if_whole(first == min(event.time for event in self.suspicious), "first event")
        self.holds_if_whole(last == max(event.time for event in self.suspicious), "last event")

    def one_event(self, events, what, **said):
        """What stands side by side is said of one event."""
        said = {name: value for name, value in said.items() if value}
        found = [event for event in events if all(getattr(event, name) == value for name, value in said.items())]
        self.holds_if_whole(bool(found), f"{what}: no event has {said}")

    def of_caller(self, events, identity):
        return [event for event in events if not identity or identity in (event.object_id, event.caller)]

    def operations(self, counts):
        counted = {}
        for event in self.suspicious:
            counted[event.operation] = counted.get(event.operation, 0) + 1
        self.holds_if_whole(counts == counted, f"operations {counts}, the records have {counted}")

    def rotation(self, listed):
        ours = self.audit.evidence["rotationList"]
        for theirs, name in (("objects", "objects"), ("also_read", "alsoRead")):
            known = {(one["vault"], one["object"], one.get("version", "")) for one in ours[name]}
            said = {(one["vault"], one["object"], one.get("version", "")) for one in listed[theirs]}
            self.holds(said <= known, f"{name} of another list: {sorted(said - known)[:3]}")

    def keyvigil(self, ours):
        self.holds(ours["suspicious_events"] == self.observed["suspiciousEvents"], "suspicious events")
        self.holds(ours["cause_events"] == self.observed["causeEvents"], "causes")
        self.operations({one["name"]: one["count"] for one in ours["suspicious_operations"]})
        reads = sum(1 for event in self.suspicious if succeeded(event) and event.operation in
                    ("SecretGet", "SecretBackup", "KeyBackup", "CertificateBackup", "KeyRelease"))
        self.holds_if_whole(ours["credential_reads"] == reads, f"{ours['credential_reads']} reads, found {reads}")
        self.rotation(ours["rotation_list"])
        sentences = [reason["sentence"] for reason in self.audit.evidence["reasons"]]
        self.holds([reason["sentence"] for reason in ours["reasons"]] == sentences, "other sentences")
        for reason in ours["reasons"]:
            self.holds(0 <= reason.get("probability", 0) <= 1, "no probability")

    def ocsf(self, text):
        document = json.loads(text)
        self.span(document["start_time"], document["end_time"])
        finding = document["finding_info"]
        self.span(finding["first_seen_time"], finding["last_seen_time"])
        for evidence in document["evidences"]:
            data = evidence.get("data", {})
            user = evidence.get("actor", {}).get("user", {}).get("uid", "")
            self.one_event(self.of_caller(self.suspicious, user), "evidence",
                           address=evidence.get("src_endpoint", {}).get("ip", ""), time=data.get("time"),
                           operation=evidence["api"]["operation"], uri=data.get("target", ""),
                           status=evidence["api"].get("response", {}).get("code"))
        for resource in document["resources"][1:]:
            self.one_event(self.suspicious, "resource", vault=resource["uid"])
        self.keyvigil(document["unmapped"]["keyvigil"])

    def ecs(self, text):
        document = json.loads(text)
        self.span(milliseconds(document["event"]["start"]), milliseconds(document["event"]["end"]))
        self.holds_if_whole(document["event"]["outcome"] == outcome_of(self.suspicious), "outcome")
        user = document.get("user", {}).get("id", "")
        self.one_event(self.of_caller(self.suspicious, user), "access",
                       address=document.get("source", {}).get("ip", ""),
                       uri=document.get("url", {}).get("original", ""))
        for address in document.get("related", {}).get("ip", []):
            self.one_event(self.suspicious, "related address", address=address)
        self.keyvigil(document["keyvigil"])

    def gelf(self, text):
        message = json.loads(text)
        self.span(milliseconds(message["_first_event"]), milliseconds(message["_last_event"]))
        self.holds(message["_suspicious_events"] == self.observed["suspiciousEvents"], "suspicious events")
        self.holds_if_whole(message["_outcome"] == outcome_of(self.suspicious), "outcome")
        self.one_event(self.of_caller(self.suspicious, message.get("_caller_id", "")), "access",
                       address=message.get("_source_ip", ""), operation=message.get("_operation", ""),
                       uri=message.get("_target", ""))
        for operation in message["_operations"].split(","):
            self.one_event(self.suspicious, "operation", operation=operation)
        sentences = [reason["sentence"] for reason in self.audit.evidence["reasons"]]
        self.holds(message["full_message"].endswith("\n".join(["", *sentences])), "other sentences")

    def cef(self, text):
        body = re.split(r"(?<!\\)\|", text, maxsplit=7)[7]
        found = re.findall(r"(\w+)=((?:[^=\\]|\\.)*?)(?= \w+=|$)", body)
        said = {key: re.sub(r"\\(.)", r"\1", value) for key, value in found}
        self.span(int(said["start"]), int(said["end"]))
        self.holds(int(said["cn1"]) == self.observed["suspiciousEvents"], "suspicious events")
        self.holds_if_whole(said["outcome"] == outcome_of(self.suspicious), "outcome")
        self.one_event(self.of_caller(self.suspicious, said.get("suid", "")), "access",
                       address=said.get("src") or said.get("c6a2", ""), uri=said.get("request", ""))
        for operation in said["act"].split(",")[:-1]:  # the last one may be cut
            self.one_event(self.suspicious, "act", operation=operation)

    def csv(self, text):
        row = dict(zip(HEADER, next(csv.reader([text]))))
        self.holds_if_whole(milliseconds(row["EndTimeUtc"]) == max(e.time for e in self.suspicious), "last event")
        self.holds(row["AzureResourceId"].lower() == self.alert["entities"][0]["resourceId"], "another vault")
        self.holds(row["Description"].lstrip("'") == self.alert["description"], "another description")

    def eventhub(self, text):
        document = json.loads(text)
        self.holds_if_whole(milliseconds(document["EndTimeUtc"]) == max(e.time for e in self.suspicious), "last event")
        self.holds(camel_case(document["SupportingEvidence"]) == self.audit.evidence, "other evidence")
        self.holds(document["Description"] == self.alert["description"], "another description")

    def stix(self, text):
        for item in json.loads(text)["objects"]:
            if item["type"] == "observed-data":
                self.holds(item["number_observed"] == self.observed["suspiciousEvents"], "number observed")
                self.span(milliseconds(item["first_observed"]), milliseconds(item["last_observed"]))
            if item["type"] == "sighting":
                self.holds(item["count"] == self.observed["suspiciousEvents"], "count of sightings")
                self.span(milliseconds(item["first_seen"]), milliseconds(item["last_seen"]))
            if item["type"] in ("ipv4-addr", "ipv6-addr"):
                self.one_event([event for _, event in self.audit.events], "address", address=item["value"])


HEADER = ["Severity", "AlertDisplayName", "AlertType", "CompromisedEntity", "AzureResourceId", "SubscriptionId",
          "ResourceGroup", "StartTimeUtc", "EndTimeUtc", "TimeGeneratedUtc", "Status", "Intent", "Description",
          "RemediationSteps", "SystemAlertId", "AlertUri"]


def audit(shape, text, of_alert):
    """A ShapeAudit of one alert's text in that shape, judged by the audit of the same alert."""
    one = ShapeAudit(of_alert)
    getattr(one, shape)(text)
    return one
