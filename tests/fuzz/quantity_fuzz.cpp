// Quantities: what parses prints in canonical form, which parses to the same value and prints the
// same again, and rounding and scaling keep their bounds.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/quantity.h"
#include "fuzz/require.h"

using podium::api::Quantity;
using podium::fuzz::Require;

namespace {

void CheckQuantity(const Quantity& quantity) {
  std::string text = quantity.String();
  podium::Result<Quantity> again = Quantity::Parse(text);
  Require(again.ok() && *again == quantity);
  // Plain numbers do not tell BinarySI from DecimalSI, so the first reading may change the form.
  std::string canonical = again->String();
  Require(quantity.format() == Quantity::Format::kBinarySI || canonical == text);
  Require(Quantity::Must(canonical).String() == canonical);

  for (int scale = -12; scale <= 21; scale += 3) {
    Quantity rounded = quantity;
    bool exact = rounded.RoundUp(scale);
    Require(exact == (rounded == quantity));
    Require(rounded.Sign() * rounded.Cmp(quantity) >= 0);
    Require(rounded.ScaledValue(scale) == quantity.ScaledValue(scale));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  size_t split = text.find('\n');
  podium::Result<Quantity> a = Quantity::Parse(text.substr(0, split));
  if (!a.ok()) return 0;
  CheckQuantity(*a);
  if (split == text.npos) return 0;
  podium::Result<Quantity> b = Quantity::Parse(text.substr(split + 1));
  if (!b.ok()) return 0;
  Require(a->Cmp(*b) == -b->Cmp(*a));
  Quantity sum = *a;
  sum.Add(*b);
  Quantity other_way = *b;
  other_way.Add(*a);
  Require(sum == other_way);
  // Half the cap on either side leaves room for the sum.
  Quantity limit = Quantity::Must("5e28");
  auto is_small = [&](Quantity q) {
    if (q.Sign() < 0) q.Neg();
    return q <= limit;
  };
  if (is_small(*a) && is_small(*b)) {
    sum.Sub(*b);
    Require(sum == *a);
  }
  return 0;
}
