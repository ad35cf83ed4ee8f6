#include "reflect/copy.h"

#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "base/bulk_heap.h"
#include "reflect/copy_plan.h"
#include "reflect/visit_scalar.h"

namespace podium::reflect {
namespace {

// What is copied to is as in a default-made object: empty strings and containers without memory,
// which construct_at may overwrite, as they hold nothing that would have to be let go.

void CopyFields(const Type& type, const void* from, void* to);
void CopyByPlan(const CopyPlan& plan, const char* from, char* to);

[[gnu::noinline]] void CopyLongText(const std::string& from, std::string* to) {
  std::construct_at(to, from);
}

inline void CopyText(const std::string& from, std::string* to) {
  // A string that has its text inside has room for this much there; so has the empty one.
  constexpr size_t kInside = 15;
  if (from.capacity() != kInside) return CopyLongText(from, to);
  std::construct_at(to);
  // All of the room is copied, which costs less than to ask how much of it is used.
  to->resize_and_overwrite(kInside, [&from](char* text, size_t) {
    std::memcpy(text, from.data(), kInside);
    return from.size();
  });
}

void CopyElement(Kind kind, const Type* type, const void* from, void* to) {
  if (kind == Kind::kString) {
    CopyText(*static_cast<const std::string*>(from), static_cast<std::string*>(to));
  } else if (kind == Kind::kStruct) {
    CopyFields(*type, from, to);
  } else if (kind == Kind::kLeaf) {
    type->leaf->copy(to, from);
  } else {
    VisitScalar(kind, 0, [&]<class T>(std::type_identity<T>) {
      *static_cast<T*>(to) = *static_cast<const T*>(from);
      return 0;
    });
  }
}

bool EqualElements(Kind kind, const Type* type, const void* a, const void* b) {
  if (kind == Kind::kStruct) return EqualObjects(*type, a, b);
  if (kind == Kind::kLeaf) return type->leaf->equal(a, b);
  return VisitScalar(kind, false, [&]<class T>(std::type_identity<T>) {
    return *static_cast<const T*>(a) == *static_cast<const T*>(b);
  });
}

void CopyOptional(const Field& field, const void* from, void* to) {
  if (field.kind == Kind::kLeaf) {
    const Leaf& leaf = *field.type->leaf;
    if (const void* value = leaf.optional_get(from)) leaf.copy(leaf.optional_emplace(to), value);
    return;
  }
  VisitScalar(field.kind, 0, [&]<class T>(std::type_identity<T>) {
    *static_cast<std::optional<T>*>(to) = *static_cast<const std::optional<T>*>(from);
    return 0;
  });
}

void CopyObjects(const Field& field, const void* from, void* to) {
  const ListOps& ops = field.list();
  const Type& type = *field.type;
  const CopyPlan* const plan = FindCopyPlan(type);
  size_t left = ops.size(from);
  ops.resize(to, &type, left);
  const char* source = static_cast<const char*>(ops.data(from));
  char* target = static_cast<char*>(ops.data(to));
  for (; left > 0; --left, source += ops.stride, target += ops.stride) {
    if (plan) {
      CopyByPlan(*plan, source, target);
    } else {
      CopyFields(type, source, target);
    }
  }
}

void CopyList(const Field& field, const void* from, void* to) {
  const ListOps& ops = field.list();
  if (field.has(kNullable)) *field.present(to) = *field.present(from);
  if (ops.empty(from)) return;
  if (field.kind == Kind::kStruct) return CopyObjects(field, from, to);
  if (field.kind == Kind::kString) {
    std::construct_at(static_cast<List<std::string>*>(to),
                      *static_cast<const List<std::string>*>(from));
    return;
  }
  const size_t size = ops.size(from);
  ops.resize(to, field.type, size);
  const char* source = static_cast<const char*>(ops.data(from));
  char* target = static_cast<char*>(ops.data(to));
  for (size_t i = 0; i < size; ++i, source += ops.stride, target += ops.stride) {
    CopyElement(field.kind, field.type, source, target);
  }
}

void CopyMap(const Field& field, const void* from, void* to) {
  const MapOps& ops = field.map();
  if (field.has(kNullable)) *field.present(to) = *field.present(from);
  if (ops.empty(from)) return;
  if (field.kind == Kind::kString) {
    std::construct_at(static_cast<Map<std::string>*>(to),
                      *static_cast<const Map<std::string>*>(from));
    return;
  }
  struct Context {
    const Field& field;
    void* to;
  } context{field, to};
  ops.each(from, false, &context, [](void* opaque, const std::string& key, void* value) {
    const auto& [f, target] = *static_cast<Context*>(opaque);
    bool inserted = false;
    CopyElement(f.kind, f.type, value, f.map().insert(target, f.type, key, &inserted));
    return true;
  });
}

// `to` is an empty box.
void CopyBox(const Type& type, const void* object, BoxStorage* to) {
  to->object = type.create(type);
  CopyFields(type, object, to->object);
}

[[gnu::noinline]] void CopyField(const Field& field, const void* source, void* target) {
  switch (field.shape) {
    case Shape::kScalar:
      CopyElement(field.kind, field.type, source, target);
      break;
    case Shape::kOptional:
      CopyOptional(field, source, target);
      break;
    case Shape::kBox:
      if (const void* object = static_cast<const BoxStorage*>(source)->object) {
        CopyBox(*field.type, object, static_cast<BoxStorage*>(target));
      }
      break;
    case Shape::kList:
      CopyList(field, source, target);
      break;
    case Shape::kMap:
      CopyMap(field, source, target);
      break;
  }
}

[[gnu::noinline]] void CopyOther(const CopyStep& step, const void* from, void* to) {
  switch (step.action) {
    case CopyStep::Action::kText:
    case CopyStep::Action::kNothing:
      break;
    case CopyStep::Action::kBox:
      CopyBox(*step.field->type, static_cast<const BoxStorage*>(from)->object,
              static_cast<BoxStorage*>(to));
      break;
    case CopyStep::Action::kObjects:
      if (!ListOps::empty(from)) CopyObjects(*step.field, from, to);
      break;
    case CopyStep::Action::kField:
      CopyField(*step.field, from, to);
      break;
  }
}

[[gnu::always_inline]] inline void TakeStep(const CopyStep& step, const char* from, char* to) {
  from += step.offset;
  to += step.offset;
  // Half of what is there.
  if (step.action == CopyStep::Action::kText) {
    CopyText(*reinterpret_cast<const std::string*>(from), reinterpret_cast<std::string*>(to));
  } else {
    CopyOther(step, from, to);
  }
}

inline uint64_t LoadWord(const char* object, size_t word) {
  uint64_t bits;
  std::memcpy(&bits, object + word * Probe::kWord, sizeof bits);
  return bits;
}

void CopyByPlan(const CopyPlan& plan, const char* from, char* to) {
  for (const uint16_t word : plan.plain) {
    std::memcpy(to + word * Probe::kWord, from + word * Probe::kWord, Probe::kWord);
  }
  const CopyStep* step = plan.steps;
  const uint16_t* const end = plan.probes.data() + plan.probes.size();
  static_assert(CopyPlan::kAtOnce == 4);
  for (const uint16_t* probe = plan.probes.data(); probe != end; probe += 4, step += 4) {
    if (LoadWord(from, probe[0]) != 0) TakeStep(step[0], from, to);
    if (LoadWord(from, probe[1]) != 0) TakeStep(step[1], from, to);
    if (LoadWord(from, probe[2]) != 0) TakeStep(step[2], from, to);
    if (LoadWord(from, probe[3]) != 0) TakeStep(step[3], from, to);
  }
  for (const CopyStep& other : plan.always) {
    CopyField(*other.field, from + other.offset, to + other.offset);
  }
}

void CopyFields(const Type& type, const void* from, void* to) {
  if (const CopyPlan* plan = FindCopyPlan(type)) {
    return CopyByPlan(*plan, static_cast<const char*>(from), static_cast<char*>(to));
  }
  for (const Field& field : type.fields) CopyField(field, field.at(from), field.at(to));
}

bool EqualLists(const Field& field, const void* a, const void* b) {
  const ListOps& ops = field.list();
  const size_t size = ops.size(a);
  if (size != ops.size(b)) return false;
  const char* left = static_cast<const char*>(ops.data(a));
  const char* right = static_cast<const char*>(ops.data(b));
  for (size_t i = 0; i < size; ++i, left += ops.stride, right += ops.stride) {
    if (!EqualElements(field.kind, field.type, left, right)) return false;
  }
  return true;
}

bool EqualMaps(const Field& field, const void* a, const void* b) {
  const MapOps& ops = field.map();
  if (ops.size(a) != ops.size(b)) return false;
  struct Context {
    const Field& field;
    const void* other;
    bool equal = true;
  } context{field, b};
  ops.each(a, false, &context, [](void* opaque, const std::string& key, void* value) {
    Context& c = *static_cast<Context*>(opaque);
    const void* other = c.field.map().find(c.other, key);
    c.equal = other && EqualElements(c.field.kind, c.field.type, value, other);
    return c.equal;
  });
  return context.equal;
}

bool EqualFields(const Field& field, const void* a, const void* b) {
  switch (field.shape) {
    case Shape::kScalar:
      return EqualElements(field.kind, field.type, a, b);
    case Shape::kOptional:
    case Shape::kBox: {
      const void* left = OptionalValue(field, a);
      const void* right = OptionalValue(field, b);
      if (!left || !right) return left == right;
      return EqualElements(field.kind, field.type, left, right);
    }
    case Shape::kList:
      return EqualLists(field, a, b);
    case Shape::kMap:
      return EqualMaps(field, a, b);
  }
  return false;
}

void ResetScalar(const Field& field, void* at) {
  if (field.kind == Kind::kStruct) {
    for (const Field& inner : field.type->fields) ResetField(inner, inner.at(at));
  } else if (field.kind == Kind::kLeaf) {
    field.type->leaf->destroy(at);
    field.type->leaf->construct(at);
  } else {
    VisitScalar(field.kind, 0, [&]<class T>(std::type_identity<T>) {
      *static_cast<T*>(at) = T();
      return 0;
    });
  }
}

}  // namespace

const void* OptionalValue(const Field& field, const void* at) {
  if (field.shape == Shape::kBox) return static_cast<const BoxStorage*>(at)->object;
  if (field.kind == Kind::kLeaf) return field.type->leaf->optional_get(at);
  return VisitScalar<const void*>(field.kind, nullptr, [&]<class T>(std::type_identity<T>) {
    const auto& optional = *static_cast<const std::optional<T>*>(at);
    return optional ? static_cast<const void*>(&*optional) : nullptr;
  });
}

void CopyObject(const Type& type, const void* from, void* to) {
  const BulkAllocation bulk;
  CopyFields(type, from, to);
}

void* NewCopy(const Type& type, const void* object) {
  const BulkAllocation bulk;
  BoxStorage copy;
  CopyBox(type, object, &copy);
  return copy.object;
}

void DeleteObject(const Type& type, void* object) { type.destroy(type, object); }

bool EqualObjects(const Type& type, const void* a, const void* b) {
  const Probe* const probes = type.probes;
  for (size_t i = 0; i < type.fields.size(); ++i) {
    if (probes && probes[i].SurelyEmpty(a) && probes[i].SurelyEmpty(b)) continue;
    const Field& field = type.fields[i];
    if (!EqualFields(field, field.at(a), field.at(b))) return false;
  }
  return true;
}

bool IsZeroField(const Field& field, const void* at) {
  switch (field.shape) {
    case Shape::kScalar:
      if (field.kind == Kind::kStruct) return IsZeroObject(*field.type, at);
      if (field.kind == Kind::kLeaf) return field.type->leaf->is_zero(at);
      return VisitScalar(field.kind, false, [&]<class T>(std::type_identity<T>) {
        return *static_cast<const T*>(at) == T();
      });
    case Shape::kOptional:
    case Shape::kBox:
      return OptionalValue(field, at) == nullptr;
    case Shape::kList:
      return ListOps::empty(at) && !(field.has(kNullable) && *field.present(at));
    case Shape::kMap:
      return MapOps::empty(at) && !(field.has(kNullable) && *field.present(at));
  }
  return false;
}

bool IsZeroObject(const Type& type, const void* object) {
  for (const Field& field : type.fields) {
    if (!IsZeroField(field, field.at(object))) return false;
  }
  return true;
}

void ResetField(const Field& field, void* at) {
  switch (field.shape) {
    case Shape::kScalar:
      ResetScalar(field, at);
      break;
    case Shape::kOptional:
      if (field.kind == Kind::kLeaf) {
        field.type->leaf->optional_reset(at);
      } else {
        VisitScalar(field.kind, 0, [&]<class T>(std::type_identity<T>) {
          static_cast<std::optional<T>*>(at)->reset();
          return 0;
        });
      }
      break;
    case Shape::kBox: {
      void*& object = static_cast<BoxStorage*>(at)->object;
      if (object) field.type->destroy(*field.type, object);
      object = nullptr;
      break;
    }
    case Shape::kList:
      field.list().clear(at, field.type);
      if (field.has(kNullable)) *field.present(at) = false;
      break;
    case Shape::kMap:
      field.map().clear(at, field.type);
      if (field.has(kNullable)) *field.present(at) = false;
      break;
  }
}

bool EqualField(const Field& field, const void* a, const void* b) {
  return EqualFields(field, a, b);
}

void ReplaceField(const Field& field, const void* from, void* to) {
  if (field.shape == Shape::kScalar) {
    if (field.kind == Kind::kStruct) {
      for (const Field& inner : field.type->fields) {
        ReplaceField(inner, inner.at(from), inner.at(to));
      }
    } else if (field.kind == Kind::kString) {
      // What copies into new objects would lose a long text that is there.
      *static_cast<std::string*>(to) = *static_cast<const std::string*>(from);
    } else {
      CopyElement(field.kind, field.type, from, to);
    }
    return;
  }
  ResetField(field, to);
  if (field.shape == Shape::kList && field.kind == Kind::kString) {
    if (field.has(kNullable)) *field.present(to) = *field.present(from);
    *static_cast<List<std::string>*>(to) = *static_cast<const List<std::string>*>(from);
    return;
  }
  CopyField(field, from, to);
}

}  // namespace podium::reflect
