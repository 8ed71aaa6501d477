"""The evidence twin: recomputes what alerts claim from the raw log, slowly and obviously.

It shares no code with the program: it reads the records of `keyvigil simulate` (blob form, one JSON object a line) and
the alerts of `detect --format jsonl`, and says of each alert what is not true. Standard library only.
"""
import collections
import datetime
import json
import re

READS = {"SecretGet", "SecretBackup", "KeyBackup", "CertificateBackup", "KeyRelease"}
USES = {"KeyDecrypt", "KeyUnwrap", "KeySign"}
LISTS = {"SecretList", "SecretListVersions", "SecretListDeleted", "CertificateList", "KeyList"}
CHANGES = {"VaultPut", "VaultPatch", "VaultCreate", "AccessPolicyMerge"}
LISTED = {"KV_SuspiciousIPAccess", "KV_TORAccess", "KV_SuspiciousIPAccessDenied"}
DAY_MS = 86_400_000
EVENT = collections.namedtuple(
    "EVENT", "time correlation operation address vault caller object_id user app uri object version status principal")


def milliseconds(text):
    whole, _, rest = text.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 1000 + int((rest + "000")[:3])


def object_of(uri):
    parts = re.sub(r"^[a-z]+://[^/]*/?", "", uri).strip("/").split("/")
    parts[0] = parts[0].removeprefix("deleted")
    if parts[0] not in ("secrets", "keys", "certificates", "storage") or len(parts) < 2 or not parts[1]:
        return "", ""
    return f"{parts[0]}/{parts[1]}", parts[2] if len(parts) > 2 and re.fullmatch("[0-9a-f]{32}", parts[2]) else ""


def decode(line):
    record = json.loads(line)
    claim = (record.get("identity") or {}).get("claim") or {}
    claims = "http://schemas.microsoft.com/identity/claims/objectidentifier"
    names = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
    oid = (claim.get("oid") or claim.get(claims) or "").lower()
    user = (claim.get("upn") or claim.get("unique_name") or claim.get(names) or "").lower()
    app = (claim.get("appid") or "").lower()
    delegated = bool(user) or "scp" in claim or claim.get("idtyp") == "user"
    caller = (oid or user) if delegated else (app or (claim.get("xms_mirid") or claim.get("xms_az_rid") or "").lower())
    properties = record["properties"]
    uri = (properties.get("requestUri") or "").split("?")[0].rstrip("/").lower()
    named, version = object_of(uri)
    if not version:
        of_id, version = object_of((properties.get("id") or "").lower())
        named = named or of_id
    policy = properties.get("addedAccessPolicy") or properties.get("removedAccessPolicy") or {}
    return EVENT(milliseconds(record["time"]), record.get("correlationId", "").lower(), record["operationName"],
                 record.get("callerIpAddress", ""), record["resourceId"].lower(), caller, oid, user, app, uri, named,
                 version, properties.get("httpStatusCode"), (policy.get("ObjectId") or "").lower())


class Log:
    def __init__(self, lines):
        self.events = sorted({decode(line) for line in lines if line.strip()})
        self.by_record = collections.defaultdict(list)
        self.by_caller = collections.defaultdict(list)
        self.by_vault = collections.defaultdict(list)
        for event in self.events:
            self.by_record[event.time, event.correlation, event.operation].append(event)
            self.by_caller[event.caller].append(event)
            self.by_vault[event.vault].append(event)


def succeeded(event):
    return event.status is not None and 200 <= event.status < 300


def is_behaviour(event):
    return bool(event.caller) and event.status != 401


class Audit:
    """What is untrue in one alert; nothing where `untrue` is empty."""

    def __init__(self, alert, log):
        self.log = log
        self.name = alert["name"]
        self.alert = alert["properties"]
        self.type = self.alert["alertType"]
        self.evidence = self.alert["supportingEvidence"]
        self.observed = self.evidence["observed"]
        self.records = self.evidence["records"]
        self.untrue = []
        self.claims = 0
        self.events = []

    def holds(self, truth, claim):
        self.claims += 1
        if not truth:
            self.untrue.append(f"{self.type} {self.name}: {claim}")

    def run(self):
        self.check_records()
        if self.untrue:
            return self  # what follows rests on them
        self.check_counts()
        self.check_rotation()
        self.check_cause()
        self.check_reasons()
        self.check_contributors()
        self.check_subject()
        return self

    def check_records(self):
        seen = set()
        for record in self.records:
            key = (milliseconds(record["time"]), record["correlationId"], record["operation"])
            found = [event for event in self.log.by_record[key]
                     if event.uri == record["target"] and event.address == record["address"]]
            self.holds(len(found) >= 1, f"no such record in the log: {key} {record['target']}")
            self.holds((key, record["target"]) not in seen, f"a record stands twice: {key}")
            seen.add((key, record["target"]))
            if not found:
                continue
            event = found[0]
            self.events.append((record, event))
            self.holds(event.vault.endswith("/" + record["vault"]), f"record on another vault: {record}")
            self.holds(event.object == record.get("object", ""), f"record of another object: {record}")
            self.holds(event.caller == record.get("caller", ""), f"record of another caller: {record}")
            self.holds(record["suspicious"] == (record["part"] != "context"), f"part and mark differ: {record}")

    def parts(self, *names):
        return [event for record, event in self.events if record["part"] in names]

    def is_whole(self):
        return self.evidence["recordsTotal"] == len(self.records)

    def check_counts(self):
        observed = self.observed
        count = observed["suspiciousEvents"]
        self.holds(sum(observed["suspiciousOutcomes"].values()) == count, "outcomes do not add up")
        listed = self.alert["extendedProperties"]["suspicious Operations"].strip("[]")
        by_operation = dict(item.rsplit(":", 1) for item in listed.split(", ") if item)
        self.holds(sum(map(int, by_operation.values())) == count, "operations do not add up")
        self.holds(self.evidence["recordsTotal"] == count + observed["relatedEvents"], "records do not add up")
        self.holds(observed["causeEvents"] <= count, "more causes than suspicious events")
        suspicious = self.parts("cause", "suspicious")
        if not self.is_whole():
            self.holds(len(suspicious) <= count, "more records than events")
            return
        self.holds(len(suspicious) == count, "suspicious records and their count differ")
        self.holds(collections.Counter(event.operation for event in suspicious) ==
                   {name: int(number) for name, number in by_operation.items()}, "operations differ from records")
        if suspicious:
            self.holds(min(e.time for e in suspicious) == milliseconds(observed["firstEvent"]), "first event")
            self.holds(max(e.time for e in suspicious) == milliseconds(observed["lastSuspiciousEvent"]), "last event")

    def check_rotation(self):
        rotation = self.evidence["rotationList"]
        first = milliseconds(self.observed["firstEvent"])
        last = milliseconds(self.observed["lastEvent"])
        about_vault = "contributors" in self.evidence
        pool = self.log.by_vault[self.alert["entities"][0]["resourceId"]] if about_vault else \
            self.log.by_caller[self.caller_key()]
        reads = {(e.vault.rsplit("/", 1)[1], e.object, e.version): e for e in pool
                 if e.operation in READS and succeeded(e) and first - DAY_MS <= e.time <= last}
        for item in rotation["objects"] + rotation["alsoRead"]:
            key = (item["vault"], item["object"], item.get("version", ""))
            self.holds(key in reads, f"nobody read {key}")
        if not self.is_whole():
            return
        for part, names in (("objects", ("cause", "suspicious")), ("alsoRead", ("context",))):
            read = {(e.vault.rsplit("/", 1)[1], e.object, e.version) for e in self.parts(*names)
                    if e.operation in READS and succeeded(e) and e.object}
            said = {(item["vault"], item["object"], item.get("version", "")) for item in rotation[part]}
            if part == "alsoRead":
                read -= {(i["vault"], i["object"], i.get("version", "")) for i in rotation["objects"]}
            self.holds(read == said, f"{part} differ from the records: {sorted(read ^ said)[:3]}")

    def caller_key(self):
        if "contributors" in self.evidence:
            return self.evidence["contributors"][0]["key"]
        keys = {event.caller for event in self.parts("cause", "suspicious") if event.caller}
        if self.type == "KV_PutGetAnomaly":
            keys = {event.caller for event in self.parts("suspicious")} or keys
        return min(keys) if keys else ""

    def check_cause(self):
        causes = self.parts("cause")
        missing = self.observed["earlierEventsMissing"]
        if self.type == "KV_ListGetAnomaly":
            self.holds(missing or any(e.operation in LISTS for e in causes), "no list among the causes")
        if self.type == "KV_PutGetAnomaly":
            self.holds(missing or any(e.operation in CHANGES for e in causes), "no change of policy among the causes")
        if self.type not in LISTED:
            self.holds(bool(causes), "no cause")

    def check_reasons(self):
        for reason in self.evidence["reasons"]:
            probability = reason.get("probability")
            self.holds(probability is None or 0 <= probability <= 1, f"no probability: {probability}")
            self.holds("surprise" not in reason, "a number without a name")
            self.check_reason(reason)

    def check_reason(self, reason):
        code = reason["code"]
        since = milliseconds(reason["since"]) if "since" in reason else None
        if code in ("ManyNewVaults", "ManyVaultsOfNewCaller", "ManyRefusedVaults") and self.is_whole():
            counted = [e for e in self.parts("cause") if e.time >= since]
            self.holds(len({e.vault for e in counted}) >= reason["observed"],
                       f"{reason['observed']} vaults, found {len(counted)} causes")
        if code in ("VolumeOfCaller", "VolumeOfVault", "PaceOfUser"):
            self.check_volume(reason, since)
        if code in ("FirstTouchOfVault", "FirstTouchByNewCaller", "FirstRefusal") and "vaultId" in reason:
            self.check_first_touch(reason, code)
        if "daysSeen" in reason:
            self.check_days(reason)

    def check_volume(self, reason, since):
        until = since + int(reason["windowSeconds"]) * 1000
        key = self.caller_key()
        pool = self.log.by_vault[reason["vaultId"]] if code_is_vault(reason) else self.log.by_caller[key]
        window = [e for e in pool if since <= e.time <= until and is_behaviour(e)]
        if "operations" in reason["sentence"].split(" of ")[0]:
            most = len(window)
        else:
            used = [e for e in window if e.operation in READS | USES and succeeded(e)]
            distinct = "distinct objects" in reason["sentence"]
            most = len({(e.vault, e.object) for e in used if e.object}) if distinct else len(used)
        self.holds(reason["observed"] <= most, f"{reason['code']} observed {reason['observed']}, the log has {most}")

    def check_first_touch(self, reason, code):
        last = milliseconds(self.observed["lastEvent"])
        callers = {e.caller for e in self.parts("cause", "suspicious", "context")}
        uses = [e.time for e in self.log.by_vault[reason["vaultId"]] if e.caller in callers and succeeded(e)]
        touched = [e.time for e in self.parts("cause", "suspicious", "context") if e.vault == reason["vaultId"]]
        self.holds(bool(touched), f"{code}: nothing of it happened on {reason['vaultId'].rsplit('/', 1)[1]}")
        if touched:
            earlier = [t for t in uses if t < min(touched) and t > last - 90 * DAY_MS]
            self.holds(not earlier or not self.is_whole(), f"{code}: used before on {reason['vaultId']}")

    def check_days(self, reason):
        key = self.caller_key()
        if not key:
            return
        first = milliseconds(self.observed["firstEvent"]) // DAY_MS
        last = milliseconds(self.observed["lastEvent"]) // DAY_MS
        days = sorted({e.time // DAY_MS for e in self.log.by_caller[key] if is_behaviour(e)})
        possible = {sum(1 for seen in days if seen < day) for day in range(first, last + 1)}
        self.holds(reason["daysSeen"] in possible, f"daysSeen {reason['daysSeen']}, the log says {sorted(possible)}")

    def check_contributors(self):
        if "contributors" not in self.evidence:
            return
        contributors = self.evidence["contributors"]
        self.holds(sum(c["sharePercent"] for c in contributors) <= 100.0001, "shares of more than everything")
        if self.evidence["contributorsTotal"] == len(contributors):
            self.holds(sum(c["events"] for c in contributors) == self.observed["suspiciousEvents"], "contributors' sum")
        if self.is_whole():
            counted = collections.Counter(e.caller for e in self.parts("cause", "suspicious"))
            self.holds({c["key"]: c["events"] for c in contributors} == dict(counted), "contributors' counts")
        names = self.alert["extendedProperties"]
        who = names.get("attacker Object ID") or names.get("application ID")
        half = [c for c in contributors if 2 * c["events"] >= self.observed["suspiciousEvents"]]
        self.holds(bool(who) == bool(half), "names somebody who did less than half, or nobody who did")
        if half and who:
            events = [e for c in half for e in self.log.by_caller[c["key"]]]
            self.holds(any(who in (e.object_id, e.app, e.caller) for e in events), "accuses a bystander")

    def check_subject(self):
        properties = self.alert["extendedProperties"]
        attacker = properties.get("attacker Object ID")
        if attacker and "contributors" not in self.evidence:
            keys = {e.object_id for e in self.parts("cause", "suspicious", "context")}
            self.holds(attacker in keys, "the attacker did none of it")
        answered = any(succeeded(e) for e in self.parts("cause", "suspicious"))
        if self.is_whole() and not answered:
            self.holds(not self.evidence["rotationList"]["objects"], "to rotate, but nothing was answered")


def code_is_vault(reason):
    return reason["code"] == "VolumeOfVault"


def audit(alerts, log):
    """(number of claims, what is untrue)"""
    audits = [Audit(alert, log).run() for alert in alerts]
    return sum(one.claims for one in audits), [text for one in audits for text in one.untrue]
