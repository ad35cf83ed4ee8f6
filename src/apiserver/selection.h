// Selection: what a label and a field selector of a list or watch leave of a resource's objects
// (upstream's storage.SelectionPredicate, and which fields a kind offers: the field label
// conversions of k8s.io/kubernetes/pkg/apis/*/*/conversion.go).
//
// Selectors come from anyone. Their size is bounded by that of a request's head, and an object is
// matched in time linear in it. Values of fields are read from the object's text once and kept with
// the entry while anybody selects by them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "api/fields.h"
#include "api/labels.h"
#include "apiserver/catalog.h"
#include "base/result.h"
#include "store/entry.h"
#include "store/store.h"

namespace podium::apiserver {

class Selection {
 public:
  // Everything.
  Selection() = default;
  // `name`: the one object of the path or of an in-process caller, "" for none. 400 for selectors
  // that cannot be read, for fields that the resource does not offer, and for a field selector that
  // names another object. The resource outlives it.
  static Result<Selection> Create(const ServedResource& resource, std::string_view labels,
                                  std::string_view fields, std::string_view name = "");

  bool Empty() const { return labels_.Empty() && fields_.Empty(); }
  // The keys that hold all that may be selected, of a request for this namespace, "" for all: one
  // key where the selectors name an object.
  store::KeyRange Keys(std::string_view name_space) const;
  // How many comparisons an object costs, about.
  size_t weight() const;
  // Of an object that is not stored: in no namespace, without labels and fields but its name.
  bool MatchesName(std::string_view name) const;
  // Of one that is not stored, and is in no namespace for "".
  bool MatchesObject(std::string_view name_space, std::string_view name,
                     const api::labels::Set& labels) const;
  // Of an entry of the resource that has a value. Errors: kDataLoss.
  Result<bool> Matches(const store::Entry& entry) const;

 private:
  const ServedResource* resource_ = nullptr;
  api::labels::Selector labels_;
  api::fields::Selector fields_;
};

}  // namespace podium::apiserver
