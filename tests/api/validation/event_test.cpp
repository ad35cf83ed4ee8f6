#include "api/validation/event.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

constexpr char kEvent[] = R"({
  "metadata": {"name": "e", "namespace": "n"}, "involvedObject": {"kind": "Pod", "namespace": "n"}})";
constexpr char kNewEvent[] = R"({
  "metadata": {"name": "e", "namespace": "n"}, "eventTime": "2026-01-01T00:00:00.000000Z",
  "reportingController": "example.com/c", "reportingInstance": "i", "action": "a", "reason": "r",
  "type": "Normal", "regarding": {"kind": "Pod", "namespace": "n"}, "note": "x"})";
constexpr char kMismatch[] =
    "involvedObject.namespace: Invalid value: \"\": does not match event.namespace";

TEST(Event, Core) {
  using core::v1::Event;
  ExpectCreate<Event>(
      kEvent,
      {{{}, {}},
       {{"metadata.name=\"A_b\""}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"involvedObject.namespace", "metadata.namespace=\"default\""}, {}},
       {{"involvedObject.namespace"}, {kMismatch}},
       {{"involvedObject.namespace=\"m\""},
        {"involvedObject.namespace: Invalid value: \"m\": does not match event.namespace"}},
       {{"metadata.namespace=\"N\"", "involvedObject.namespace=\"N\""},
        {"namespace: Invalid value: \"N\": " + kBadSubdomain}},
       {{"eventTime=\"2026-01-01T00:00:00.000000Z\"", "involvedObject.namespace"},
        {kMismatch, "reportingComponent: Required value",
         "reportingComponent: Invalid value: \"\": name part must be non-empty",
         "reportingComponent: Invalid value: \"\": " + kBadQualified,
         "reportingInstance: Required value", "action: Required value",
         "reason: Required value"}}});
  ExpectUpdate<Event>(
      kEvent, {{{"count=2", "message=\"m\""}, {}}, {{"involvedObject.namespace"}, {kMismatch}}});
}

TEST(Event, Strict) {
  using events::v1::Event;
  const std::string longer(129, 'x');
  const std::string note(1025, 'x');
  ExpectCreate<Event>(
      kNewEvent, {{{}, {}},
                  {{R"(series={"count":2,"lastObservedTime":"2026-01-01T00:00:00.000000Z"})"}, {}},
                  {{"regarding.namespace", "metadata.namespace=\"kube-system\""}, {}},
                  {{"reportingInstance=\"" + longer + "\"", "action=\"" + longer + "\"",
                    "reason=\"" + longer + "\"", "note=\"" + note + "\""},
                   {"reportingInstance: Invalid value: \"\": can have at most 128 characters",
                    "action: Invalid value: \"\": can have at most 128 characters",
                    "reason: Invalid value: \"\": can have at most 128 characters",
                    "message: Invalid value: \"\": can have at most 1024 characters"}},
                  {{"reportingController=\"-\"", "metadata.name=\"E\""},
                   {"reportingController: Invalid value: \"-\": " + kBadQualified,
                    "metadata.name: Invalid value: \"E\": " + kBadSubdomain}},
                  {{"eventTime", "type=\"X\"", "series={\"count\":1,\"lastObservedTime\":null}",
                    "deprecatedFirstTimestamp=\"2026-01-01T00:00:00Z\"",
                    "deprecatedLastTimestamp=\"2026-01-01T00:00:00Z\"", "deprecatedCount=1",
                    "deprecatedSource.host=\"h\""},
                   {"series.count: Invalid value: \"\": should be at least 2",
                    "series.lastObservedTime: Required value", "eventTime: Required value",
                    "type: Invalid value: \"\": has invalid value: X",
                    "firstTimestamp: Invalid value: \"\": needs to be unset",
                    "lastTimestamp: Invalid value: \"\": needs to be unset",
                    "count: Invalid value: \"\": needs to be unset",
                    "source: Invalid value: \"\": needs to be unset"}}});
}

TEST(Event, StrictUpdate) {
  using events::v1::Event;
  const std::string fixed = "field is immutable";
  ExpectUpdate<Event>(
      kNewEvent,
      {{{R"(series={"count":2,"lastObservedTime":"2026-01-01T00:00:00.000000Z"})"}, {}},
       {{"series={\"count\":1,\"lastObservedTime\":null}"},
        {"series.count: Invalid value: \"\": should be at least 2",
         "series.lastObservedTime: Required value"}},
       {{"regarding.kind=\"K\"", "reason=\"q\"", "note=\"y\"", "deprecatedSource.host=\"h\"",
         "deprecatedFirstTimestamp=\"2026-01-01T00:00:00Z\"",
         "deprecatedLastTimestamp=\"2026-01-01T00:00:00Z\"", "deprecatedCount=1",
         "type=\"Warning\"", "eventTime=\"2026-01-02T00:00:00.000000Z\"", "action=\"b\"",
         "related={\"kind\":\"R\"}", "reportingController=\"c\"", "reportingInstance=\"j\""},
        {"involvedObject: Invalid value: "
         "{\"Kind\":\"K\",\"Namespace\":\"n\",\"Name\":\"\",\"UID\":\"\",\"APIVersion\":\"\","
         "\"ResourceVersion\":\"\",\"FieldPath\":\"\"}: " +
             fixed,
         "reason: Invalid value: \"q\": " + fixed, "message: Invalid value: \"y\": " + fixed,
         "source: Invalid value: {\"Component\":\"\",\"Host\":\"h\"}: " + fixed,
         "firstTimestamp: Invalid value: \"2026-01-01T00:00:00Z\": " + fixed,
         "lastTimestamp: Invalid value: \"2026-01-01T00:00:00Z\": " + fixed,
         "count: Invalid value: 1: " + fixed, "reason: Invalid value: \"q\": " + fixed,
         "type: Invalid value: \"Warning\": " + fixed,
         "eventTime: Invalid value: \"2026-01-02T00:00:00.000000Z\": " + fixed,
         "action: Invalid value: \"b\": " + fixed,
         "related: Invalid value: "
         "{\"Kind\":\"R\",\"Namespace\":\"\",\"Name\":\"\",\"UID\":\"\",\"APIVersion\":\"\","
         "\"ResourceVersion\":\"\",\"FieldPath\":\"\"}: " +
             fixed,
         "reportingController: Invalid value: \"c\": " + fixed,
         "reportingInstance: Invalid value: \"j\": " + fixed}}});
}

}  // namespace
}  // namespace podium::api
