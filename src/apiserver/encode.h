// Answers of objects, in every form that negotiation.h knows: what is stored as its own bytes with
// the resourceVersion put in, other forms by way of the decoded object. Whatever goes wrong on the
// way is itself an answer, so these do not fail.
//
// Threads: any.
#pragma once

#include <string>
#include <string_view>

#include "api/table/table.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/negotiation.h"
#include "apiserver/stored_object.h"
#include "base/clock.h"
#include "base/result.h"
#include "reflect/type.h"
#include "store/entry.h"

namespace podium::apiserver {

// A stored object, as the resource shows it.
Answer AnswerWithEntry(const Call& call, const ServedResource& resource, const store::Entry& entry,
                       int status = 200);

// What is not stored: reviews, a Status, a Scale. kind and apiVersion are the object's own. A
// Status is shown as it is whatever view was asked for.
Answer AnswerWithValue(const Call& call, const OutputRules& rules, const reflect::Type& type,
                       const void* object, int status = 200);
template <class T>
Answer AnswerWithValue(const Call& call, const OutputRules& rules, const T& object,
                       int status = 200) {
  return AnswerWithValue(call, rules, reflect::TypeOf<T>(), &object, status);
}

// The object as it is, in the form's media type: whoever made it has chosen what of it is shown.
Result<Answer> AnswerInForm(const OutputForm& form, const reflect::Type& type, const void* object,
                            int status = 200);

// The Status of an error, with the headers that upstream sends with it: Retry-After, and for 403
// X-Content-Type-Options. A client that accepts no form of it gets JSON.
Answer AnswerWithError(const Call& call, const Error& error);

// Shows the objects of one resource in one form, as elements of lists and watches too.
class ObjectEncoder {
 public:
  // `resource` outlives it. `now` is what ages in tables are counted to.
  ObjectEncoder(const ServedResource& resource, OutputForm form, api::IncludeObject include,
                api::Time now)
      : resource_(resource), form_(form), include_(include), now_(now) {}

  enum class Place {
    kAlone,    // an answer of its own, or an event's object: with kind and apiVersion
    kElement,  // of a list: without them where the list says what it is of
  };
  const OutputForm& form() const { return form_; }
  void set_now(api::Time now) { now_ = now; }

  // Appends JSON: the object, a PartialObjectMetadata, or a row of a table. Errors: kDataLoss for
  // what cannot be read; kUnsupported for what no conversion leads to.
  Result<void> AppendJson(const store::Entry& entry, Place place, std::string* out) const;
  // The same of an object that is not stored: a bookmark.
  Result<void> AppendJson(const reflect::Type& type, const void* object, std::string* out) const;
  // Appends the protobuf message; in its envelope unless it is an element.
  Result<void> AppendProtobuf(const store::Entry& entry, Place place, std::string* out) const;
  Result<void> AppendProtobuf(const reflect::Type& type, const void* object,
                              std::string* out) const;

  // `"columnDefinitions":[…]` of the table.
  std::string ColumnsJson() const;

 private:
  Result<void> AppendCustom(const store::Entry& entry, std::string* out) const;
  Result<void> AppendRow(const store::Entry& entry, const StoredObject& stored,
                         std::string* out) const;

  const ServedResource& resource_;
  const OutputForm form_;
  const api::IncludeObject include_;
  api::Time now_;
};

// ?includeObject of a table. 400 for what it may not be.
Result<api::IncludeObject> ReadTableOptions(const Call& call, const OutputForm& form);
// The time that a call's tables count ages to.
api::Time TimeOf(const Call& call);
// 406: as a PartialObjectMetadataList of an object, or the reverse of a list.
Result<void> CheckView(const ServedResource& resource, const OutputForm& form, bool is_list);

}  // namespace podium::apiserver
