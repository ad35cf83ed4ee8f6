// What a description is made of beside the object: the time, the local one too, and the objects
// around it. Private to describe/.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/describe.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "reflect/object.h"

namespace podium::api {

// Which events are asked for: those of an object with this name, namespace, and, unless empty, kind
// and uid.
struct EventQuery {
  std::string_view name;
  std::string_view namespace_;
  std::string_view kind;
  std::string_view uid;
};

// The same object as it is described, where it is of an old version of its kind, or an Event of
// events.k8s.io; otherwise null.
Result<reflect::ObjectPtr> InDescribedVersion(const reflect::Object& object);

class Scene {
 public:
  // `options` outlives it.
  explicit Scene(const DescribeOptions& options) : options_(&options) {}

  Time now() const { return options_->now; }
  bool show_events() const { return options_->show_events; }
  // "Mon, 02 Jan 2006 15:04:05 -0700" (RFC 1123), local time.
  std::string Date(Time moment) const;
  std::string Date(MicroTime moment) const;
  std::string Ago(Time moment) const;
  std::string Ago(MicroTime moment) const;

  // The objects of a type in a namespace, or in all for "", in the order of a server's list.
  template <class T>
  std::vector<const T*> List(std::string_view name_space) const {
    std::vector<const T*> out;
    if (!options_->related) return out;
    for (const reflect::ObjectPtr& object : options_->related->OfType(reflect::TypeOf<T>())) {
      if (!name_space.empty() && object->header().namespace_ != name_space) continue;
      if (const auto typed = object->As<T>(); typed.ok()) out.push_back(*typed);
    }
    return out;
  }
  // Null when there is none.
  template <class T>
  const T* Find(std::string_view name_space, std::string_view name) const {
    const auto all = List<T>(name_space);
    const auto found = std::ranges::find(
        all, name, [](const T* each) { return std::string_view(each->metadata.name); });
    return found == all.end() ? nullptr : *found;
  }
  std::vector<const core::v1::Event*> Events(const EventQuery& query) const;

 private:
  const DescribeOptions* options_;
};

}  // namespace podium::api
