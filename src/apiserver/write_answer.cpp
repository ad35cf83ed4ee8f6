#include "apiserver/write_answer.h"

#include "api/conversion/conversion.h"
#include "api/object_meta.h"
#include "api/status.h"
#include "apiserver/encode.h"
#include "apiserver/negotiation.h"
#include "apiserver/subresources/scale.h"
#include "reflect/object.h"

namespace podium::apiserver {

reflect::AnyObject DeletedStatus(const Call& call, const ServedResource& resource,
                                 const WriteOutcome& outcome) {
  if (call.info.verb != "delete" || !outcome.deleted) return {};
  if (outcome.entry && StrategyOf(*resource.stored_type).returns_deleted) return {};
  reflect::AnyObject answer(reflect::TypeOf<api::meta::v1::Status>());
  api::meta::v1::Status& status = *answer.As<api::meta::v1::Status>();
  status = api::SuccessStatus();
  api::meta::v1::StatusDetails& details = status.details.ensure();
  details.name = call.info.name;
  details.group = resource.group;
  details.kind = resource.plural;
  if (outcome.entry) {
    if (const auto header = reflect::ReadHeader(outcome.entry->value()); header.ok()) {
      details.uid = header->uid;
    }
  }
  return answer;
}

Answer AnswerWithScale(const Call& call, const ServedResource& resource,
                       const reflect::AnyObject& object, int status) {
  const auto scale = ScaleOf(resource, object);
  if (!scale.ok()) return AnswerWithError(call, scale.error());
  return AnswerWithValue(call, OutputRules(), *scale, status);
}

Answer AnswerWithScale(const Call& call, const ServedResource& resource, const store::Entry& entry,
                       int status) {
  const auto scale = ScaleOf(resource, entry);
  if (!scale.ok()) return AnswerWithError(call, scale.error());
  return AnswerWithValue(call, OutputRules(), *scale, status);
}

Answer AnswerWithOutcome(const Call& call, const ServedResource& resource,
                         const WriteOutcome& outcome) {
  if (call.info.subresource == "scale") {
    return outcome.entry ? AnswerWithScale(call, resource, *outcome.entry, outcome.status)
                         : AnswerWithScale(call, resource, outcome.value, outcome.status);
  }
  if (const reflect::AnyObject status = DeletedStatus(call, resource, outcome)) {
    return AnswerWithValue(call, RulesOf(resource), status.type(), status.get(), outcome.status);
  }
  if (outcome.entry) return AnswerWithEntry(call, resource, *outcome.entry, outcome.status);
  const reflect::Type& type = outcome.value.type();
  if (&type != resource.stored_type || resource.stored_as_is()) {
    return AnswerWithValue(call, RulesOf(resource), type, outcome.value.get(), outcome.status);
  }
  const auto shown = api::ConvertObject(type, outcome.value.get(), *resource.type);
  if (!shown.ok()) return AnswerWithError(call, shown.error());
  return AnswerWithValue(call, RulesOf(resource), shown->type(), shown->get(), outcome.status);
}

}  // namespace podium::apiserver
