// Sets of fields, as managedFields holds them: which fields of an object somebody owns.
//
// A path leads from an object to a value by its field names, by the keys of the elements of lists
// that are maps, by the values of those that are sets, and by the places of the others. FieldsV1
// writes a set as a tree of JSON objects whose keys are the steps:
//
//   {"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{}}},
//              "f:finalizers":{"v:\"a\"":{}}}}
//
// A step without anything behind it is a path of the set; "." says that also a step with something
// behind it is. Semantics and order are those of structured-merge-diff v6, fieldpath. A set is a
// tree of sorted lists: operations on two sets take time linear in both.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::reflect {

// One step of a path.
class PathElement {
 public:
  // In the order in which they stand in a set.
  enum class Kind { kField, kKey, kValue, kIndex };
  using Keys = std::vector<std::pair<std::string, JsonValue>>;

  static PathElement Field(std::string name);
  static PathElement Key(Keys keys);  // sorted here
  static PathElement Value(JsonValue value);
  static PathElement Index(int64_t index);

  // As in FieldsV1: f:name, k:{"name":"web"}, v:"a", i:3. kInvalidArgument when it cannot be read,
  // kUnsupported when it begins with another letter and a colon.
  static Result<PathElement> Parse(std::string_view text);
  std::string Text() const;

  // As in messages: .name, [name="web"], [="a"], [3].
  std::string Shown() const;

  Kind kind() const { return kind_; }
  const std::string& field() const { return name_; }
  const Keys& keys() const { return keys_; }
  const JsonValue& value() const { return keys_[0].second; }
  int64_t index() const { return index_; }

  friend std::weak_ordering operator<=>(const PathElement& a, const PathElement& b);
  friend bool operator==(const PathElement& a, const PathElement& b) { return (a <=> b) == 0; }

 private:
  Kind kind_ = Kind::kField;
  int64_t index_ = 0;
  std::string name_;
  Keys keys_;  // of a value one without a name
};

using FieldPathElements = std::vector<PathElement>;

// All steps: .spec.containers[name="web"].image.
std::string Shown(const FieldPathElements& path);

class FieldSet {
 public:
  struct Node;

  FieldSet() = default;

  // Keys of kinds that are not known are left out. kInvalidArgument when a key or the form of the
  // tree is wrong.
  static Result<FieldSet> FromJson(const JsonValue& json);
  JsonValue ToJson() const { return ToJson(false); }

  bool empty() const;
  size_t size() const;  // paths
  bool Has(const FieldPathElements& path) const;
  // The paths to its parents do not come in with it. The empty path is in no set.
  void Insert(const FieldPathElements& path);
  // Every path: those of one step in order, then those behind each step.
  void ForEach(const std::function<void(const FieldPathElements&)>& visit) const;

  // The part behind a step; empty when there is none.
  FieldSet Behind(const PathElement& step) const;
  // The steps that the set begins with, sorted, and what is behind each. Null when there is none.
  const std::vector<Node>& nodes() const { return nodes_; }
  const Node* Find(const PathElement& step) const;
  // The same of the step to a field.
  const Node* FindField(std::string_view name) const;
  // Adds to a step: that it is in the set, and what is behind it.
  void Add(const PathElement& step, bool is_member, FieldSet behind);

  friend FieldSet Union(const FieldSet& a, const FieldSet& b);
  friend FieldSet Intersection(const FieldSet& a, const FieldSet& b);
  // Paths of `a` that are none of `b`; a path stays also when `b` has one that it begins with.
  friend FieldSet Difference(const FieldSet& a, const FieldSet& b);
  // Without those either.
  friend FieldSet RecursiveDifference(const FieldSet& a, const FieldSet& b);
  // Only paths that no other path of the set goes on from.
  FieldSet Leaves() const;

  friend bool operator==(const FieldSet& a, const FieldSet& b);

 private:
  // `is_member`: of what is behind a step, whether that is in the set.
  JsonValue ToJson(bool is_member) const;
  Node& Descend(const PathElement& step);
  void Append(Node node);
  void Visit(FieldPathElements* path,
             const std::function<void(const FieldPathElements&)>& visit) const;

  // Sorted; each is in the set, or has something behind it.
  std::vector<Node> nodes_;
};

struct FieldSet::Node {
  PathElement step;
  bool is_member = false;
  FieldSet behind{};
};

}  // namespace podium::reflect
