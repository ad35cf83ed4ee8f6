#include "api/validation/event.h"

#include <string>
#include <string_view>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {

using core::v1::ObjectReference;
using field::ErrorList;
using field::Path;

namespace {

// Either kind, with the fields named as the core kind has them.
struct View {
  explicit View(const core::v1::Event& event)
      : metadata(event.metadata),
        involvedObject(event.involvedObject),
        reason(event.reason),
        message(event.message),
        eventTime(event.eventTime),
        action(event.action),
        controller(event.reportingComponent),
        instance(event.reportingInstance),
        controller_name("reportingComponent") {}
  explicit View(const events::v1::Event& event)
      : metadata(event.metadata),
        involvedObject(event.regarding),
        reason(event.reason),
        message(event.note),
        eventTime(event.eventTime),
        action(event.action),
        controller(event.reportingController),
        instance(event.reportingInstance),
        controller_name("reportingController") {}

  const meta::v1::ObjectMeta& metadata;
  const ObjectReference& involvedObject;  // NOLINT: as in the API
  const std::string& reason;
  const std::string& message;
  const MicroTime& eventTime;  // NOLINT: likewise
  const std::string& action;
  const std::string& controller;
  const std::string& instance;
  std::string_view controller_name;
};

// A text of up to so many bytes. The value is not shown.
void CheckLength(const std::string& value, bool required, size_t limit, std::string_view name,
                 ErrorList* errors) {
  if (required && value.empty()) errors->Add(field::Required(Path(name), ""));
  if (value.size() > limit) {
    errors->Add(field::Invalid(Path(name), "",
                               "can have at most " + std::to_string(limit) + " characters"));
  }
}

// Rules of every event. Those of the newer form are for events that have a time of the newer form.
ErrorList Validate(const View& event) {
  ErrorList errors;
  const std::string& space = event.metadata.namespace_;
  const std::string& involved = event.involvedObject.namespace_;
  const auto refuse_namespace = [&] {
    errors.Add(field::Invalid(Path("involvedObject").Child("namespace"), involved,
                              "does not match event.namespace"));
  };
  if (event.eventTime.IsZero()) {
    if (involved.empty() ? !IsOneOf(space, {"", "default"}) : space != involved) {
      refuse_namespace();
    }
  } else {
    if (involved.empty() && !IsOneOf(space, {"default", "kube-system"})) refuse_namespace();
    const Path controller(event.controller_name);
    if (event.controller.empty()) errors.Add(field::Required(controller, ""));
    errors.AddInvalid(controller, event.controller, IsQualifiedName(event.controller));
    CheckLength(event.instance, true, 128, "reportingInstance", &errors);
    CheckLength(event.action, true, 128, "action", &errors);
    CheckLength(event.reason, true, 128, "reason", &errors);
    CheckLength(event.message, false, 1024, "message", &errors);
  }
  errors.AddInvalid(Path("namespace"), space, IsDNS1123Subdomain(space));
  return errors;
}

void CheckSeries(const events::v1::Event& event, ErrorList* errors) {
  if (!event.series) return;
  if (event.series->count < 2) {
    errors->Add(field::Invalid(Path("series.count"), "", "should be at least 2"));
  }
  if (event.series->lastObservedTime.IsZero()) {
    errors->Add(field::Required(Path("series.lastObservedTime"), ""));
  }
}

}  // namespace

// The registry looks at the metadata when the rest is right.
ErrorList ValidateEvent(const core::v1::Event& event) {
  ErrorList errors = Validate(View(event));
  if (!errors.empty()) return errors;
  return ValidateGenericObjectMeta(event.metadata, Scope::kNamespaced, NameIsPathSegment,
                                   Path("metadata"));
}

ErrorList ValidateEventUpdate(const core::v1::Event& event, const core::v1::Event& old_event) {
  ErrorList errors =
      ValidateGenericObjectMetaUpdate(event.metadata, old_event.metadata, Path("metadata"));
  errors.Append(Validate(View(event)));
  return errors;
}

ErrorList ValidateStrictEvent(const events::v1::Event& event) {
  ErrorList errors = Validate(View(event));
  errors.Append(
      ValidateObjectMeta(event.metadata, Scope::kNamespaced, NameIsDNSSubdomain, Path("metadata")));
  CheckSeries(event, &errors);
  if (event.eventTime.IsZero()) errors.Add(field::Required(Path("eventTime"), ""));
  if (!IsOneOf(event.type, {"Normal", "Warning"})) {
    errors.Add(field::Invalid(Path("type"), "", "has invalid value: " + event.type));
  }
  const auto refuse = [&](bool is_set, std::string_view name) {
    if (is_set) errors.Add(field::Invalid(Path(name), "", "needs to be unset"));
  };
  refuse(!event.deprecatedFirstTimestamp.IsZero(), "firstTimestamp");
  refuse(!event.deprecatedLastTimestamp.IsZero(), "lastTimestamp");
  refuse(event.deprecatedCount != 0, "count");
  refuse(!event.deprecatedSource.component.empty() || !event.deprecatedSource.host.empty(),
         "source");
  return errors;
}

ErrorList ValidateStrictEventUpdate(const events::v1::Event& event,
                                    const events::v1::Event& old_event) {
  ErrorList errors = Validate(View(event));
  errors.Append(ValidateObjectMetaUpdate(event.metadata, old_event.metadata, Path("metadata")));
  if (!(event.series == old_event.series)) CheckSeries(event, &errors);
  const auto keep = [&](bool same, const field::BadValue& value, std::string_view name) {
    CheckImmutable(same, value, Path(name), &errors);
  };
  const auto keep_reason = [&] { keep(event.reason == old_event.reason, event.reason, "reason"); };
  keep(reflect::Equal(event.regarding, old_event.regarding), UnversionedValue(event.regarding),
       "involvedObject");
  keep_reason();
  keep(event.note == old_event.note, event.note, "message");
  keep(reflect::Equal(event.deprecatedSource, old_event.deprecatedSource),
       UnversionedValue(event.deprecatedSource), "source");
  keep(event.deprecatedFirstTimestamp == old_event.deprecatedFirstTimestamp,
       event.deprecatedFirstTimestamp, "firstTimestamp");
  keep(event.deprecatedLastTimestamp == old_event.deprecatedLastTimestamp,
       event.deprecatedLastTimestamp, "lastTimestamp");
  keep(event.deprecatedCount == old_event.deprecatedCount, event.deprecatedCount, "count");
  // Upstream asks twice.
  keep_reason();
  keep(event.type == old_event.type, event.type, "type");
  keep(event.eventTime == old_event.eventTime, field::BadValue::Of(event.eventTime), "eventTime");
  keep(event.action == old_event.action, event.action, "action");
  keep(event.related == old_event.related,
       event.related ? UnversionedValue(*event.related) : field::BadValue(nullptr), "related");
  keep(event.reportingController == old_event.reportingController, event.reportingController,
       "reportingController");
  keep(event.reportingInstance == old_event.reportingInstance, event.reportingInstance,
       "reportingInstance");
  return errors;
}

}  // namespace podium::api
