#include "api/described_json.h"

#include <algorithm>
#include <string>
#include <vector>

namespace podium::api::test {
namespace {

namespace json = boost::json;
using reflect::Field;
using reflect::Form;
using reflect::Kind;
using reflect::Shape;
using reflect::Type;

// Makes the value of a struct, given what to do with each of its fields.
class Maker {
 public:
  virtual ~Maker() = default;

  json::value Struct(const Type& type) {
    if (std::count(open_.begin(), open_.end(), &type) >= max_nesting_) return nullptr;
    open_.push_back(&type);
    json::value made;
    if (type.form == Form::kStruct) {
      json::object& object = made.emplace_object();
      for (const Field& field : type.fields) {
        if (!Wanted(field)) continue;
        json::value value = Value(field);
        // A type within itself ends here.
        if (field.kind != Kind::kStruct || !value.is_null())
          object[field.name()] = std::move(value);
      }
    } else if (Wanted(type.fields[0])) {
      // Transparent, or the first of several alternatives.
      made = Value(type.fields[0]);
    }
    open_.pop_back();
    return made;
  }

 protected:
  explicit Maker(int max_nesting) : max_nesting_(max_nesting) {}

  virtual bool Wanted(const Field& field) = 0;
  virtual size_t Elements() = 0;
  virtual json::value Scalar(const Field& field) = 0;

  bool IsAtRoot() const { return open_.size() == 1; }
  size_t depth() const { return open_.size(); }

 private:
  json::value Value(const Field& field) {
    if (field.shape == Shape::kList) {
      json::array list;
      for (size_t i = Elements(); i > 0; --i) {
        json::value element = Element(field);
        if (!element.is_null()) list.push_back(std::move(element));
      }
      return list;
    }
    if (field.shape == Shape::kMap) {
      json::object map;
      for (size_t i = Elements(); i > 0; --i) {
        json::value element = Element(field);
        if (!element.is_null()) map["k" + std::to_string(i)] = std::move(element);
      }
      return map;
    }
    return Element(field);
  }
  json::value Element(const Field& field) {
    return field.kind == Kind::kStruct ? Struct(*field.type) : Scalar(field);
  }

  const int max_nesting_;
  std::vector<const Type*> open_;
};

class RandomMaker : public Maker {
 public:
  explicit RandomMaker(std::mt19937_64& random) : Maker(2), random_(random) {}

 private:
  size_t Below(size_t count) {
    return std::uniform_int_distribution<size_t>(0, count - 1)(random_);
  }

  bool Wanted(const Field& field) override {
    if (IsAtRoot() && (field.name() == "kind" || field.name() == "apiVersion")) return false;
    // Fields near the root come more often, so that all depths are reached.
    return Below(10) < (depth() < 4 ? 7 : 3);
  }
  size_t Elements() override { return Below(3); }

  template <size_t size>
  std::string Pick(const char* const (&texts)[size]) {
    return texts[Below(size)];
  }
  std::string Text(const Field& field) {
    std::vector<std::string> values;
    std::string_view all = field.facts->enum_values;
    while (!all.empty()) {
      const size_t end = std::min(all.find('|'), all.size());
      values.emplace_back(all.substr(0, end));
      all.remove_prefix(std::min(end + 1, all.size()));
    }
    if (!values.empty() && Below(4) > 0) return values[Below(values.size())];
    return Pick({"", "a", "x:1", "x:latest", "Always", "ClientIP", "LoadBalancer", "Container",
                 "RollingUpdate", "ExactCount", "User", "ServiceAccount", "1.2.3.4"});
  }
  json::value Leaf(const Type& type) {
    const std::string_view name = type.name;
    if (name == "Quantity")
      return Pick({"0", "1", "1500u", "1n", "-1u", "2Gi", "1e3", "0.5"}).c_str();
    if (name == "IntOrString") {
      if (Below(2) == 0) return Below(3);
      return Pick({"", "25%", "http"}).c_str();
    }
    if (name == "Time") return "2020-01-02T03:04:05Z";
    if (name == "MicroTime") return "2020-01-02T03:04:05.000006Z";
    if (name == "Duration") return "1m0s";
    return nullptr;
  }
  json::value Scalar(const Field& field) override {
    switch (field.kind) {
      case Kind::kBool:
        return Below(2) == 0;
      case Kind::kString:
        return json::string(Text(field));
      case Kind::kBytes:
        return "AAEC";
      case Kind::kRaw:
        return json::parse(R"({"a":[1,null]})");
      case Kind::kLeaf:
        return Leaf(*field.type);
      case Kind::kDouble:
        return 1.5;
      default:
        return Below(3);
    }
  }

  std::mt19937_64& random_;
};

class FullMaker : public Maker {
 public:
  FullMaker() : Maker(1) {}

 private:
  bool Wanted(const Field& field) override {
    if (field.shape == Shape::kMap) return field.kind == Kind::kStruct || IsQuantity(field);
    return field.kind == Kind::kStruct;
  }
  size_t Elements() override { return 1; }
  json::value Scalar(const Field&) override { return "1500u"; }

  static bool IsQuantity(const Field& field) {
    return field.kind == Kind::kLeaf && std::string_view(field.type->name) == "Quantity";
  }
};

json::value Named(const Type& type, json::value made) {
  made.as_object()["apiVersion"] = type.ApiVersion();
  made.as_object()["kind"] = type.name;
  return made;
}

}  // namespace

json::value RandomObject(const Type& type, std::mt19937_64& random) {
  return Named(type, RandomMaker(random).Struct(type));
}

json::value FullSkeleton(const Type& type) { return Named(type, FullMaker().Struct(type)); }

}  // namespace podium::api::test
