#include "node/pod_fields/schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "reflect/field_access.h"
#include "reflect/walk.h"

namespace podium::node::pod_fields {
namespace {

using reflect::Field;
using reflect::Type;

const Type* StructOf(const Field& field) {
  const bool is = field.kind == reflect::Kind::kStruct && field.type &&
                  field.type->form == reflect::Form::kStruct;
  return is ? field.type : nullptr;
}

class Sections {
 public:
  Sections() {
    Note(reflect::TypeOf<v1::PodSpec>());
    const Type* spec = &reflect::TypeOf<v1::PodSpec>();
    const Type* ephemeral = &reflect::TypeOf<v1::EphemeralContainer>();
    const Type* container = &reflect::TypeOf<v1::Container>();
    for (auto& [type, owners] : owners_) {
      if (owners.erase(ephemeral) > 0) owners.insert(container);
    }
    sections_.insert(spec);
    // Types are no circles, so that this ends.
    for (bool grown = true; grown;) {
      grown = false;
      for (const auto& [type, owners] : owners_) {
        const bool one = owners.size() == 1 && sections_.contains(*owners.begin());
        if (one && sections_.insert(type).second) grown = true;
      }
    }
  }
  bool Has(const Type* type) const { return sections_.contains(type); }

  static const Sections& Get() {
    static const Sections kSections;
    return kSections;
  }

 private:
  void Note(const Type& type) {
    if (!seen_.insert(&type).second) return;
    for (const Field& field : type.fields) {
      const Type* inner = StructOf(field);
      if (!inner) continue;
      owners_[inner].insert(&type);
      Note(*inner);
    }
  }

  std::set<const Type*> seen_;
  std::map<const Type*, std::set<const Type*>> owners_;
  std::set<const Type*> sections_;
};

std::string Join(const std::string& outer, std::string_view name) {
  return outer + "." + std::string(name);
}

// A path's names, without what is in brackets.
std::vector<std::string> NamesOf(std::string_view path) {
  std::vector<std::string> names;
  auto parsed = reflect::FieldPath::Parse(path);
  if (!parsed.ok()) return names;
  for (const auto& step : parsed->steps()) {
    if (!step.index) names.push_back(step.name);
  }
  return names;
}

// The rows of each field on a path.
std::vector<std::string> RowsOfPath(std::string_view path) {
  std::vector<std::string> rows;
  const std::vector<std::string> names = NamesOf(path);
  if (names.size() < 2) return rows;
  if (names[0] == "metadata") return {"ObjectMeta." + names[1]};
  if (names[0] != "spec") return rows;
  const Type* type = &reflect::TypeOf<v1::PodSpec>();
  std::string at = type->name;
  for (size_t i = 1; i < names.size() && type; ++i) {
    const Field* field = type->Find(names[i]);
    if (!field) break;  // a key of a map
    at = Join(at, names[i]);
    rows.push_back(at);
    type = StructOf(*field);
    if (type && Sections::Get().Has(type)) at = type->name;
  }
  return rows;
}

std::vector<std::string> PathsOf(const v1::Pod& pod, const std::string& row) {
  std::vector<std::string> paths;
  reflect::Walk(reflect::TypeOf<v1::Pod>(), &pod,
                [&](const reflect::WalkPath& path, const reflect::ValueRef& value) {
                  if (value.field && !value.is_element && RowOf(path.Text()) == row) {
                    paths.push_back(path.Text());
                  }
                  return reflect::Next::kInside;
                });
  return paths;
}

class Lister {
 public:
  explicit Lister(const std::function<bool(const std::string&)>& open) : open_(open) {}

  std::vector<std::string> List() {
    Section(reflect::TypeOf<v1::PodSpec>());
    return std::move(rows_);
  }

 private:
  void Section(const Type& type) {
    if (!done_.insert(&type).second) return;
    std::vector<const Type*> others;
    Fields(type, type.name, &others);
    for (const Type* other : others) Section(*other);
  }
  void Fields(const Type& type, const std::string& at, std::vector<const Type*>* others) {
    for (const Field& field : type.fields) {
      const std::string row = Join(at, field.name());
      rows_.push_back(row);
      const Type* inner = StructOf(field);
      if (!inner || !open_(row)) continue;
      if (Sections::Get().Has(inner)) {
        others->push_back(inner);
      } else if (&type != &reflect::TypeOf<v1::EphemeralContainer>()) {
        // What ephemeral containers have of it is Container's.
        Fields(*inner, row, others);
      }
    }
  }

  const std::function<bool(const std::string&)>& open_;
  std::set<const Type*> done_;
  std::vector<std::string> rows_;
};

}  // namespace

std::vector<std::string> RowsOf(const std::function<bool(const std::string& row)>& open) {
  return Lister(open).List();
}

std::string RowOf(std::string_view path) {
  const std::vector<std::string> rows = RowsOfPath(path);
  return rows.empty() ? std::string() : rows.back();
}

std::vector<std::string> RowsOnTheWay(const v1::Pod& pod, const std::string& row) {
  std::vector<std::string> out;
  for (const std::string& path : PathsOf(pod, row)) {
    for (std::string& each : RowsOfPath(path)) {
      if (std::ranges::find(out, each) == out.end()) out.push_back(std::move(each));
    }
  }
  return out;
}

v1::Pod Without(v1::Pod pod, const std::string& row) {
  for (const std::string& path : PathsOf(pod, row)) {
    const auto parsed = reflect::FieldPath::Parse(path);
    auto cleared =
        reflect::SetField(reflect::TypeOf<v1::Pod>(), &pod, *parsed, "null", {.strict = false});
    EXPECT_TRUE(cleared.ok()) << path << ": " << cleared.error().message();
  }
  return pod;
}

}  // namespace podium::node::pod_fields
