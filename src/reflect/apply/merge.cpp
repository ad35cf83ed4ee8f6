#include "reflect/apply/merge.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "reflect/patch/members.h"

namespace podium::reflect {
namespace {

constexpr size_t kNowhere = static_cast<size_t>(-1);

void MergeMembers(const ValueSchema& schema, const JsonValue::Object& config, JsonValue* live) {
  Members members(live);
  for (const auto& [key, value] : config) {
    if (JsonValue* there = members.Find(key)) {
      MergeValue(MemberOf(schema, key).schema, value, there);
    } else {
      members.Set(key, value);
    }
  }
}

// Which elements of two lists are the same.
struct Pairs {
  std::vector<size_t> of_live;    // by place in the live list: the place in the configuration
  std::vector<size_t> of_config;  // the other way; kNowhere also where there are several
  std::vector<size_t> shared;     // places in the configuration, in order
};

Pairs PairUp(const ValueSchema& schema, const JsonValue::Array& live,
             const JsonValue::Array& config) {
  Pairs pairs{.of_live = std::vector<size_t>(live.size(), kNowhere),
              .of_config = std::vector<size_t>(config.size(), kNowhere),
              .shared = {}};
  const std::vector<ListItem> wanted = SortedItems(schema, config);
  std::vector<size_t> count(config.size());
  for (const ListItem& item : SortedItems(schema, live)) {
    const auto found = std::ranges::lower_bound(wanted, item.step, {}, &ListItem::step);
    if (found == wanted.end() || !(found->step == item.step)) continue;
    pairs.of_live[item.place] = found->place;
    pairs.of_config[found->place] = ++count[found->place] == 1 ? item.place : kNowhere;
  }
  for (size_t i = 0; i < config.size(); ++i) {
    if (count[i] > 0) pairs.shared.push_back(i);
  }
  return pairs;
}

class ListMerger {
 public:
  ListMerger(const ValueSchema& schema, const JsonValue::Array& config, JsonValue::Array live)
      : element_(ElementOf(schema)),
        config_(config),
        live_(std::move(live)),
        pairs_(PairUp(schema, live_, config)),
        is_done_(config.size()) {
    out_.reserve(std::max(live_.size(), config_.size()));
  }

  // Goes through both lists at once, in the same steps as upstream, as the order depends on them.
  JsonValue::Array Merge() {
    while (at_live_ < live_.size() || at_ < config_.size()) {
      if (at_live_ < live_.size() && at_ < config_.size()) {
        const size_t place = pairs_.of_live[at_live_];
        if (place == at_) {
          TakeWanted();
          ++at_live_;
          NextShared();
          continue;
        }
        // Both have it, but it is not its turn.
        if (place != kNowhere && next_ < pairs_.shared.size() && pairs_.shared[next_] != place) {
          ++at_live_;
          continue;
        }
      }
      if (at_live_ < live_.size()) {
        const size_t place = pairs_.of_live[at_live_];
        if (place == kNowhere) {
          out_.push_back(std::move(live_[at_live_++]));
          continue;
        }
        if (is_done_[place]) ++at_live_;
      }
      if (at_ < config_.size()) {
        const bool is_shared = next_ < pairs_.shared.size() && pairs_.shared[next_] == at_;
        TakeWanted();
        if (is_shared) NextShared();
      }
    }
    return std::move(out_);
  }

 private:
  void TakeWanted() {
    is_done_[at_] = true;
    const size_t place = pairs_.of_config[at_];
    if (place == kNowhere) {
      out_.push_back(config_[at_]);
    } else {
      out_.push_back(std::move(live_[place]));
      MergeValue(element_, config_[at_], &out_.back());
    }
    ++at_;
  }
  void NextShared() { next_ = std::min(next_ + 1, pairs_.shared.size()); }

  const ValueSchema element_;
  const JsonValue::Array& config_;
  JsonValue::Array live_;
  const Pairs pairs_;
  std::vector<bool> is_done_;
  JsonValue::Array out_;
  size_t at_live_ = 0;
  size_t at_ = 0;    // in the configuration
  size_t next_ = 0;  // in pairs_.shared
};

}  // namespace

void MergeValue(const ValueSchema& schema, const JsonValue& config, JsonValue* live) {
  switch (GrainOf(schema, &config)) {
    case Grain::kLeaf:
      break;
    case Grain::kMap:
      if (!MembersOf(live)) break;
      if (const auto* members = MembersOf(&config)) MergeMembers(schema, *members, live);
      return;
    case Grain::kList:
      if (!ElementsOf(live)) break;
      if (const auto* elements = ElementsOf(&config)) {
        *live = JsonValue::Of(ListMerger(schema, *elements, std::move(live->array())).Merge());
      }
      return;
  }
  *live = config;
}

}  // namespace podium::reflect
