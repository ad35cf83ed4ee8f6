#include "reflect/copy_plan.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace podium::reflect {
namespace {

constexpr size_t kWord = Probe::kWord;

// The bytes of a value that is trivially copyable; 0 for others. An optional of such a T is so too:
// the T and behind it the flag.
size_t PlainSize(const Field& field) {
  if (field.shape != Shape::kScalar && field.shape != Shape::kOptional) return 0;
  size_t size = 0;
  switch (field.kind) {
    case Kind::kBool:
      size = sizeof(bool);
      break;
    case Kind::kInt32:
    case Kind::kUint32:
    case Kind::kEnum:
      size = sizeof(int32_t);
      break;
    case Kind::kInt64:
    case Kind::kUint64:
    case Kind::kDouble:
      size = sizeof(int64_t);
      break;
    case Kind::kLeaf:
      if (field.type->leaf->plain) size = field.type->leaf->size;
      break;
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kRaw:
    case Kind::kStruct:
      break;
  }
  return size == 0 || field.shape == Shape::kScalar ? size : size + sizeof(bool);
}

// The byte offset of a word that is zero when the field, which is not plain, is empty; -1 when none
// tells. The one that a Probe looks at, or looks at a byte of: behind the flag of an optional
// string are the padding's bytes, which may not be zero.
ptrdiff_t ProbedWord(const Field& field) {
  if (field.kind == Kind::kStruct && field.shape == Shape::kScalar) return -1;
  const Probe probe = ProbeOf(field, SIZE_MAX);
  if (probe.mask == Probe::kNone) return -1;
  return static_cast<ptrdiff_t>(probe.word * kWord);
}

CopyStep::Action ActionOf(const Field& field) {
  using enum CopyStep::Action;
  if (field.kind == Kind::kString && field.shape == Shape::kScalar) return kText;
  if (field.shape == Shape::kBox) return kBox;
  const bool objects = field.kind == Kind::kStruct && field.shape == Shape::kList;
  return objects && !field.has(kNullable) ? kObjects : kField;
}

struct Builder {
  explicit Builder(const Type& type) : size(type.size) { Add(type, 0); }

  void Add(const Type& type, size_t base) {
    for (const Field& field : type.fields) {
      const size_t offset = base + field.offset;
      if (field.kind == Kind::kStruct && field.shape == Shape::kScalar) {
        Add(*field.type, offset);
      } else if (const size_t bytes = PlainSize(field); !bytes || !AddPlain(offset, bytes)) {
        AddStep(field, base);
      }
    }
  }

  // False when a word of it reaches out of the object.
  bool AddPlain(size_t offset, size_t bytes) {
    const size_t end = (offset + bytes + kWord - 1) / kWord;
    if (end * kWord > size || end > UINT16_MAX) return false;
    for (size_t word = offset / kWord; word < end; ++word) {
      plain.push_back(static_cast<uint16_t>(word));
    }
    return true;
  }

  void AddStep(const Field& field, size_t base) {
    const CopyStep step{&field, static_cast<uint32_t>(base + field.offset), ActionOf(field)};
    const ptrdiff_t probed = PlainSize(field) > 0 ? -1 : ProbedWord(field);
    const size_t word = (base + static_cast<size_t>(probed)) / kWord;
    if (probed < 0 || base % kWord != 0 || word > UINT16_MAX) {
      always.push_back(step);
    } else {
      probes.push_back(static_cast<uint16_t>(word));
      steps.push_back(step);
    }
  }

  void Finish() {
    // Several members share a word.
    std::sort(plain.begin(), plain.end());
    plain.erase(std::unique(plain.begin(), plain.end()), plain.end());
    while (probes.size() % CopyPlan::kAtOnce != 0) {
      probes.push_back(probes.back());
      steps.push_back({nullptr, 0, CopyStep::Action::kNothing});
    }
  }

  size_t size;  // of the object
  std::vector<uint16_t> plain;
  std::vector<uint16_t> probes;
  std::vector<CopyStep> steps;
  std::vector<CopyStep> always;
};

template <class T>
std::span<const T> Place(const std::vector<T>& values, char** at) {
  T* const first = reinterpret_cast<T*>(*at);
  std::uninitialized_copy(values.begin(), values.end(), first);
  *at += values.size() * sizeof(T);
  return {first, values.size()};
}

// In one block of malloc's: operator new would take it from the bulk heap, where it would keep the
// objects around it.
CopyPlan* MakePlan(const Type& type) {
  Builder made(type);
  made.Finish();
  const size_t bytes = sizeof(CopyPlan) +
                       (made.steps.size() + made.always.size()) * sizeof(CopyStep) +
                       (made.plain.size() + made.probes.size()) * sizeof(uint16_t);
  void* const block = std::malloc(bytes);
  if (!block) return nullptr;
  char* at = static_cast<char*>(block) + sizeof(CopyPlan);
  const CopyStep* const steps = Place(made.steps, &at).data();
  const std::span always = Place(made.always, &at);
  const std::span plain = Place(made.plain, &at);
  return new (block) CopyPlan{&type, plain, Place(made.probes, &at), steps, always};
}

// An open hash table by the type's address, twice as large as the program has types.
constexpr size_t kSlots = 2048;
constexpr int kSlotBits = 11;
static_assert(kSlots == size_t{1} << kSlotBits);
constexpr size_t kTries = 64;
constinit std::array<std::atomic<const CopyPlan*>, kSlots> plans{};

size_t FirstSlot(const Type& type) {
  const uint64_t spread = reinterpret_cast<uintptr_t>(&type) * 0x9E3779B97F4A7C15;
  return spread >> (64 - kSlotBits);
}

[[gnu::noinline]] const CopyPlan* AddCopyPlan(const Type& type) {
  if (type.has(kRuntime)) return nullptr;
  CopyPlan* made = nullptr;
  for (size_t i = 0; i < kTries; ++i) {
    std::atomic<const CopyPlan*>& slot = plans[(FirstSlot(type) + i) % kSlots];
    const CopyPlan* there = slot.load(std::memory_order_acquire);
    if (!there) {
      if (!made) made = MakePlan(type);
      if (!made) return nullptr;
      if (slot.compare_exchange_strong(there, made, std::memory_order_acq_rel)) return made;
    }
    if (there->type == &type) {
      std::free(made);
      return there;
    }
  }
  std::free(made);
  return nullptr;
}

}  // namespace

const CopyPlan* FindCopyPlan(const Type& type) {
  const CopyPlan* plan = plans[FirstSlot(type)].load(std::memory_order_acquire);
  return plan && plan->type == &type ? plan : AddCopyPlan(type);
}

}  // namespace podium::reflect
