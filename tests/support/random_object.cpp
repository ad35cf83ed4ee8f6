#include "support/random_object.h"

#include <array>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace podium::testing {
namespace {

using namespace podium::reflect;

// What some leaf or other reads, in the form it writes. No null among them: a null leaf that is
// optional comes back absent.
constexpr std::array<std::string_view, 14> kLeafTexts = {"100m",
                                                         "1",
                                                         "512Mi",
                                                         "1e3",
                                                         "25%",
                                                         "http",
                                                         "3s",
                                                         "1h2m3.5s",
                                                         "2026-03-14T09:26:53Z",
                                                         "-5k",
                                                         "0.000001ns",
                                                         "2026-03-14T09:26:53.000007Z",
                                                         "-1m0s",
                                                         "1999-12-31T23:59:59Z"};

constexpr std::array<std::string_view, 10> kWords = {
    "",         "a",           "app.kubernetes.io/name", "longer than fifteen bytes",
    "é \u2028", "<&>\"\\",     "line\nbreak\ttab",       "true",
    "0x10",     "- ? : # [ {x"};

constexpr std::array<std::string_view, 6> kRawTexts = {
    R"({})", R"([])", R"({"a":[1,2.5,null],"b":{"c":"\u003c"}})", R"("text")", "0", "false"};

class Filler {
 public:
  explicit Filler(const RandomOptions& options) : options_(options), random_(options.seed) {}

  void Outermost(const Type& type, void* object) {
    Object(type, object, options_.fill);
    if (type.has(kRootKind)) SetKind(type, object);
  }

 private:
  void Object(const Type& type, void* object, double fill) {
    if (type.form == Form::kAlternatives) return Alternative(type, object, fill);
    const bool root = type.has(kRootKind);
    for (const Field& field : type.fields) {
      if (root && (field.name() == "kind" || field.name() == "apiVersion")) continue;
      FillField(field, field.at(object), fill);
    }
    if (root && !options_.for_protobuf) SetKind(type, object);
  }

  static void SetKind(const Type& type, void* object) {
    for (const Field& field : type.fields) {
      auto* text = static_cast<std::string*>(field.at(object));
      if (field.name() == "kind") *text = type.name;
      if (field.name() == "apiVersion") *text = type.ApiVersion();
    }
  }

  bool Chance(double probability) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
  }
  size_t Below(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(random_);
  }
  template <class T>
  T Integer() {
    switch (Below(4)) {
      case 0:
        return 0;
      case 1:
        return std::numeric_limits<T>::max();
      case 2:
        return std::numeric_limits<T>::min();
      default:
        return static_cast<T>(random_());
    }
  }
  std::string Text() { return std::string(kWords[Below(kWords.size())]); }

  void Alternative(const Type& type, void* object, double fill) {
    const Field& chosen = type.fields[Below(type.fields.size())];
    for (const Field& field : type.fields) {
      if (&field == &chosen && field.kind == Kind::kBool) {
        *static_cast<bool*>(field.at(object)) = Chance(0.5);
      } else if (&field == &chosen && field.shape == Shape::kBox) {
        auto* box = static_cast<BoxStorage*>(field.at(object));
        box->object = field.type->create(*field.type);
        Object(*field.type, box->object, fill / 2);
      } else if (&field == &chosen) {
        List(field, field.at(object), fill);
      } else if (field.has(kFromOuter)) {
        *static_cast<bool*>(field.at(object)) = true;
      }
    }
  }

  void FillField(const Field& field, void* at, double fill) {
    switch (field.shape) {
      case Shape::kScalar:
        Value(field, at, fill);
        break;
      case Shape::kOptional:
        if (Chance(0.5)) Optional(field, at, fill);
        break;
      case Shape::kBox:
        if (Chance(fill)) {
          auto* box = static_cast<BoxStorage*>(at);
          box->object = field.type->create(*field.type);
          Object(*field.type, box->object, fill * 0.6);
        }
        break;
      case Shape::kList:
        if (Chance(fill)) {
          List(field, at, fill);
        } else if (field.has(kNullable)) {
          *field.present(at) = !options_.for_protobuf && Chance(0.5);
        }
        break;
      case Shape::kMap:
        if (Chance(fill)) {
          Map(field, at, fill);
        } else if (field.has(kNullable)) {
          *field.present(at) = !options_.for_protobuf && Chance(0.5);
        }
        break;
    }
  }

  void List(const Field& field, void* at, double fill) {
    const size_t count = 1 + Below(2);
    for (size_t i = 0; i < count; ++i) Value(field, field.list().add(at, field.type), fill * 0.6);
  }

  void Map(const Field& field, void* at, double fill) {
    const size_t count = 1 + Below(3);
    for (size_t i = 0; i < count; ++i) {
      bool inserted = false;
      void* value = field.map().insert(at, field.type, Text(), &inserted);
      if (inserted) Value(field, value, fill * 0.6);
    }
  }

  void Optional(const Field& field, void* at, double fill) {
    auto emplace = [&]<class T>(std::type_identity<T>) {
      Value(field, &static_cast<std::optional<T>*>(at)->emplace(), fill);
    };
    switch (field.kind) {
      case Kind::kBool:
        return emplace(std::type_identity<bool>());
      case Kind::kInt32:
      case Kind::kEnum:
        return emplace(std::type_identity<int32_t>());
      case Kind::kInt64:
        return emplace(std::type_identity<int64_t>());
      case Kind::kUint32:
        return emplace(std::type_identity<uint32_t>());
      case Kind::kUint64:
        return emplace(std::type_identity<uint64_t>());
      case Kind::kDouble:
        return emplace(std::type_identity<double>());
      case Kind::kString:
        return emplace(std::type_identity<std::string>());
      case Kind::kBytes:
        return emplace(std::type_identity<Bytes>());
      case Kind::kRaw:
        return emplace(std::type_identity<RawJson>());
      case Kind::kLeaf:
        return LeafValue(*field.type->leaf, field.type->leaf->optional_emplace(at));
      case Kind::kStruct:
        break;
    }
    std::abort();  // structs are boxed
  }

  void Value(const Field& field, void* at, double fill) {
    switch (field.kind) {
      case Kind::kBool:
        *static_cast<bool*>(at) = Chance(0.5);
        break;
      case Kind::kInt32:
        *static_cast<int32_t*>(at) = Integer<int32_t>();
        break;
      case Kind::kEnum:
        // Zero is a name of every enum.
        *static_cast<int32_t*>(at) = 0;
        break;
      case Kind::kInt64:
        *static_cast<int64_t*>(at) = Integer<int64_t>();
        break;
      case Kind::kUint32:
        *static_cast<uint32_t*>(at) = Integer<uint32_t>();
        break;
      case Kind::kUint64:
        *static_cast<uint64_t*>(at) = Integer<uint64_t>();
        break;
      case Kind::kDouble:
        *static_cast<double*>(at) = std::uniform_real_distribution<double>(-1e9, 1e9)(random_);
        break;
      case Kind::kString:
        *static_cast<std::string*>(at) = Text();
        break;
      case Kind::kBytes: {
        auto* bytes = static_cast<Bytes*>(at);
        for (size_t i = Below(5) + (options_.for_protobuf ? 1 : 0); i > 0; --i)
          bytes->data += static_cast<char>(random_());
        bytes->present = true;
        break;
      }
      case Kind::kRaw:
        static_cast<RawJson*>(at)->text = kRawTexts[Below(kRawTexts.size())];
        break;
      case Kind::kLeaf:
        LeafValue(*field.type->leaf, at);
        break;
      case Kind::kStruct:
        Object(*field.type, at, fill * 0.8);
        break;
    }
  }

  // Tries texts until the leaf reads one that is not zero.
  void LeafValue(const Leaf& leaf, void* at) {
    const size_t first = Below(kLeafTexts.size());
    for (size_t i = 0; i < kLeafTexts.size(); ++i) {
      const std::string_view text = kLeafTexts[(first + i) % kLeafTexts.size()];
      std::string problem;
      const JsonScalar token{JsonScalar::Form::kString, text};
      if (leaf.from_json(token, at, &problem) && !leaf.is_zero(at)) return;
    }
    std::abort();  // a leaf that none of the texts suits
  }

  const RandomOptions& options_;
  std::mt19937_64 random_;
};

}  // namespace

void FillRandom(const reflect::Type& type, void* object, const RandomOptions& options) {
  Filler(options).Outermost(type, object);
}

}  // namespace podium::testing
