// Objects of custom resources on their way in and out (upstream's unstructuredNegotiatedSerializer,
// schemaCoercingDecoder and crdConversionRESTOptionsGetter of
// k8s.io/apiextensions-apiserver/pkg/apiserver, release 1.36):
//
//   in      unknown members go, metadata gets the form of ObjectMeta, nulls that are not allowed
//           go, defaults of the request's version are filled in
//   store   convert to the storage version, drop what that does not know
//   out     the same as in, by the schema of the version that is stored; convert to the request's
//           version, drop what that does not know
//
// What is stored is what EncodeJson writes of the envelope, with the members of all values sorted
// and numbers as Go prints them, so that two texts are the same when the objects are.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/labels.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/custom_resources/custom_version.h"
#include "apiserver/request_options.h"
#include "base/result.h"
#include "reflect/json_value.h"
#include "reflect/object.h"
#include "reflect/type.h"
#include "store/entry.h"

namespace podium::apiserver {

// A body: JSON or YAML. 415 for protobuf; 400 for what is no such object, and for what a strict
// reader minds.
Result<reflect::AnyObject> DecodeCustomBody(Call& call, const ServedResource& resource,
                                            FieldValidation validation);
// What a patch or a configuration made of an object, which is in `tree`. What only a strict reader
// minds is appended to `unknown`. 400.
Result<reflect::AnyObject> TakeCustomObject(const CustomVersion& version, reflect::JsonValue tree,
                                            std::vector<std::string>* unknown);
// After somebody else, a webhook, has changed it.
Result<void> TakeCustomAgain(const CustomVersion& version, reflect::AnyObject* object);

// An object of the envelope as a tree, sorted.
Result<reflect::JsonValue> CustomTree(const reflect::AnyObject& object);

// An object of the shown version's envelope, as another version of the definition shows it. May
// wait for a webhook where the version may.
Result<reflect::JsonValue> TreeAs(const CustomVersion& version, const reflect::Type& type,
                                  const void* object, const CustomSchema& to);
// The reverse, of what somebody else made of such a tree; with the defaults of both versions.
Result<reflect::AnyObject> TakeFrom(const CustomVersion& version, const CustomSchema& from,
                                    reflect::JsonValue tree);

// What is to be stored of an object of the shown version; kind, apiVersion and all. May wait for a
// webhook where the version may.
Result<std::string> TextToStore(const CustomVersion& version, const reflect::AnyObject& object);

// A stored object as a version shows it.
struct CustomForm {
  std::string json;  // "": as it is stored
  reflect::ObjectLayout layout{};
  // Where a webhook has made it, which may change them; else they are the entry's.
  std::optional<api::labels::Set> labels{};

  std::string_view text(const store::Entry& entry) const {
    return json.empty() ? entry.value() : std::string_view(json);
  }
};
using CustomFormPtr = std::shared_ptr<const CustomForm>;

// Made once and kept with the entry. May wait for a webhook where the version may. Errors: those of
// the webhook; kDataLoss.
Result<CustomFormPtr> FormOf(const CustomVersion& version, const store::Entry& entry);
// Makes the forms of all of them with one question to the webhook. Does nothing for versions that
// never wait. Nulls and deleted entries are passed over.
Result<void> MakeForms(const CustomVersion& version, std::span<const store::EntryPtr> entries);
// Of an entry with the same value as another one.
Result<void> ShareForm(const CustomVersion& version, const store::Entry& from,
                       const store::Entry& to);
// The form of what was just stored of this object.
void KeepForm(const CustomVersion& version, const store::Entry& entry,
              const reflect::AnyObject& object);

// The object of the envelope, with its resourceVersion.
Result<reflect::AnyObject> DecodeCustom(const CustomVersion& version, const store::Entry& entry);

}  // namespace podium::apiserver
