#include "apiserver/write_answer.h"

#include "api/conversion/conversion.h"
#include "api/object_meta.h"
#include "api/status.h"
#include "apiserver/encode.h"
#include "apiserver/negotiation.h"
#include "reflect/object.h"

namespace podium::apiserver {
namespace {

// What a deletion is answered with where the object itself is not shown.
api::meta::v1::Status DeletedStatus(const Call& call, const ServedResource& resource,
                                    const WriteOutcome& outcome) {
  api::meta::v1::Status status = api::SuccessStatus();
  api::meta::v1::StatusDetails& details = status.details.ensure();
  details.name = call.info.name;
  details.group = resource.group;
  details.kind = resource.plural;
  if (outcome.entry) {
    if (const auto header = reflect::ReadHeader(outcome.entry->value()); header.ok()) {
      details.uid = header->uid;
    }
  }
  return status;
}

}  // namespace

Answer AnswerWithOutcome(const Call& call, const ServedResource& resource,
                         const WriteOutcome& outcome) {
  if (call.info.verb == "delete" && outcome.deleted &&
      (!outcome.entry || !StrategyOf(*resource.stored_type).returns_deleted)) {
    return AnswerWithValue(call, RulesOf(resource), DeletedStatus(call, resource, outcome),
                           outcome.status);
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
