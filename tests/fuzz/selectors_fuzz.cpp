// Label and field selectors: what parses prints, and what was printed parses to the same selector.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/fields.h"
#include "api/labels.h"
#include "fuzz/require.h"

using podium::fuzz::Require;

namespace {

void CheckLabels(std::string_view text) {
  using podium::api::labels::Selector;
  podium::Result<Selector> selector = Selector::Parse(text);
  if (!selector.ok()) {
    Require(!selector.error().message().empty());
    return;
  }
  podium::Result<Selector> again = Selector::Parse(selector->String());
  Require(again.ok() && *again == *selector);
  // A selector of one value matches the labels that have it.
  podium::api::labels::Set labels;
  for (const auto& requirement : selector->requirements()) {
    if (auto value = selector->RequiresExactMatch(requirement.key())) {
      labels[requirement.key()] = *value;
    }
  }
  if (labels.size() == selector->requirements().size()) Require(selector->Matches(labels));
}

void CheckFields(std::string_view text) {
  using podium::api::fields::Selector;
  podium::Result<Selector> selector = Selector::Parse(text);
  if (!selector.ok()) return;
  // Requirements stand in the order of their text as it was written; "==" and "=" sort differently.
  Selector sorted = *Selector::Parse(selector->String());
  Require(sorted.requirements().size() == selector->requirements().size());
  Require(*Selector::Parse(sorted.String()) == sorted);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckLabels(text);
  CheckFields(text);
  return 0;
}
