#include "store/history.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <memory>
#include <random>

#include "store/compaction_policy.h"
#include "store/plan.h"

namespace podium::store {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

EntryPtr Change(Revision revision, const std::string& key, std::optional<std::string> value) {
  return Entry::Make(key, value ? std::optional<std::string_view>(*value) : std::nullopt,
                     {.create = 1, .mod = revision, .version = 1});
}

std::vector<std::string> StateAt(const History& history, Revision at, std::string_view prefix = "",
                                 std::string_view from = "") {
  std::vector<std::string> state;
  history.Scan(prefix, from, at, SIZE_MAX, [&](const EntryPtr& entry) {
    state.push_back(fmt::format("{}={}", entry->key(), entry->value()));
    return true;
  });
  return state;
}

// The example of history.h.
TEST(HistoryTest, CompactionDropsWhatChangesHaveReplaced) {
  History history;
  history.Append(Change(1, "/z", "z1"));
  history.Append(Change(2, "/a", "a2"));
  history.Append(Change(3, "/b", "b3"));
  history.Append(Change(4, "/a", "a4"));
  history.Append(Change(5, "/z", "z5"));
  history.Append(Change(6, "/b", std::nullopt));
  history.Append(Change(7, "/a", "a7"));
  const auto collect = [&](Revision limit) {
    std::vector<EntryPtr> dropped;
    history.Collect(100, limit, &dropped);
    std::vector<Revision> revisions;
    for (const EntryPtr& entry : dropped) revisions.push_back(entry->mod_revision());
    return revisions;
  };
  EXPECT_THAT(StateAt(history, 4), ElementsAre("/a=a4", "/b=b3", "/z=z1"));
  EXPECT_EQ(history.keys(), 2);
  history.SetCompacted(4);
  EXPECT_FALSE(history.collected());
  EXPECT_THAT(collect(3), IsEmpty()) << "somebody reads 3";
  EXPECT_THAT(collect(100), ElementsAre(2));
  EXPECT_TRUE(history.collected());
  EXPECT_THAT(StateAt(history, 4), ElementsAre("/a=a4", "/b=b3", "/z=z1"));
  EXPECT_EQ(History::Before(history.ChangeAt(6))->value(), "b3");
  history.SetCompacted(7);
  EXPECT_THAT(collect(100), ElementsAre(1, 3, 6, 4));
  EXPECT_EQ(history.old_bytes(), 0);
  EXPECT_THAT(StateAt(history, 7), ElementsAre("/a=a7", "/z=z5"));
  EXPECT_EQ(history.Newest("/b"), nullptr);
}

TEST(HistoryTest, ADeletionThatWasFollowedGoesWithWhatFollowed) {
  History history;
  history.Append(Change(1, "/a", "a1"));
  history.Append(Change(2, "/a", std::nullopt));
  history.Append(Change(3, "/a", "a3"));
  history.SetCompacted(2);
  std::vector<EntryPtr> dropped;
  history.Collect(100, 100, &dropped);
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(dropped[0]->mod_revision(), 1);
  EXPECT_EQ(history.Find("/a", 2), nullptr);
  EXPECT_EQ(History::Before(history.ChangeAt(3)), nullptr);
  history.SetCompacted(3);
  history.Collect(100, 100, &dropped);
  EXPECT_EQ(dropped[1]->mod_revision(), 2);
  EXPECT_EQ(history.old_bytes(), 0);
}

TEST(HistoryTest, AKeyWithManyChangesEndsWithoutRecursion) {
  auto history = std::make_unique<History>();
  for (Revision i = 1; i <= 100'000; ++i) history->Append(Change(i, "/a", "x"));
  const EntryPtr held = history->Newest("/a");
  history.reset();
  EXPECT_EQ(held->value(), "x");
}

struct Model {
  std::vector<std::map<std::string, std::string>> states{{}};  // by revision
  std::vector<std::string> StateAt(Revision at, const std::string& prefix,
                                   const std::string& from) {
    std::vector<std::string> state;
    for (const auto& [key, value] : states[static_cast<size_t>(at)]) {
      if (key.starts_with(prefix) && key >= from) state.push_back(fmt::format("{}={}", key, value));
    }
    return state;
  }
};

std::string RandomKey() {
  return *rc::gen::container<std::string>(*rc::gen::inRange(1, 4),
                                          rc::gen::element('a', 'b', '\xff'));
}

// Any changes, any compactions in any steps: every state that is not compacted is the model's.
TEST(HistoryTest, EveryStateIsTheModels) {
  EXPECT_TRUE(rc::check([] {
    History history;
    Model model;
    std::vector<EntryPtr> dropped;
    const int steps = *rc::gen::inRange(1, 60);
    for (int i = 0; i < steps; ++i) {
      const Revision newest = history.newest();
      if (newest > history.compacted() && *rc::gen::inRange(0, 5) == 0) {
        history.SetCompacted(*rc::gen::inRange<Revision>(history.compacted() + 1, newest + 1));
      }
      history.Collect(*rc::gen::inRange<size_t>(0, 4), newest, &dropped);
      const std::string key = RandomKey();
      auto state = model.states.back();
      if (*rc::gen::inRange(0, 3) == 0) {
        if (state.erase(key) == 0) continue;
        history.Append(Change(newest + 1, key, std::nullopt));
      } else {
        state[key] = std::to_string(i);
        history.Append(Change(newest + 1, key, std::to_string(i)));
      }
      model.states.push_back(std::move(state));
    }
    RC_ASSERT(history.keys() == static_cast<int64_t>(model.states.back().size()));
    for (Revision at = history.compacted(); at <= history.newest(); ++at) {
      const std::string prefix = *rc::gen::inRange(0, 2) == 0 ? "" : RandomKey();
      const std::string from = *rc::gen::inRange(0, 2) == 0 ? "" : RandomKey();
      RC_ASSERT(StateAt(history, at, prefix, from) == model.StateAt(at, prefix, from));
    }
  }));
}

// Going over a range in steps of any length gives what one step gives.
TEST(HistoryTest, ScansGoOnWhereTheyEnded) {
  EXPECT_TRUE(rc::check([] {
    History history;
    for (Revision i = 1; i <= 30; ++i) {
      history.Append(
          Change(i, RandomKey(),
                 *rc::gen::inRange(0, 4) == 0 ? std::nullopt : std::optional(std::to_string(i))));
    }
    const std::string prefix = *rc::gen::inRange(0, 2) == 0 ? "" : RandomKey();
    std::mt19937 random(*rc::gen::arbitrary<uint32_t>());
    std::vector<std::string> in_steps;
    std::string from;
    do {
      from = history.Scan(prefix, from, 30, 1 + random() % 4, [&](const EntryPtr& entry) {
        if (random() % 3 == 0) return false;
        in_steps.push_back(fmt::format("{}={}", entry->key(), entry->value()));
        return true;
      });
    } while (!from.empty());
    RC_ASSERT(in_steps == StateAt(history, 30, prefix));
  }));
}

TEST(PlanTest, WritesOfAGroupSeeEachOther) {
  History history;
  history.Append(Change(1, "/a", "1"));
  Plan plan(history);
  EXPECT_TRUE(plan.Add({.key = "/b", .value = "1", .expected = 0}).changed);
  const Written lost = plan.Add({.key = "/b", .value = "2", .expected = 0});
  EXPECT_FALSE(lost.changed);
  EXPECT_EQ(lost.previous->mod_revision(), 2);
  EXPECT_EQ(lost.revision, 2);
  EXPECT_TRUE(plan.Add({.key = "/b", .expected = 2}).changed);
  const Written again = plan.Add({.key = "/b", .value = "3", .expected = 0});
  EXPECT_TRUE(again.changed);
  EXPECT_EQ(again.entry->create_revision(), 4);
  EXPECT_EQ(again.entry->version(), 1);
  EXPECT_EQ(plan.changes().size(), 3U);
  EXPECT_EQ(history.newest(), 1) << "nothing is done";
}

TEST(CompactionPolicyTest, KeepsChangesForTheirAge) {
  const CompactionPolicy::Time start{};
  CompactionPolicy policy({.age = seconds(160), .bytes = 1000, .changes = 100});
  EXPECT_FALSE(policy.Next());
  policy.Note(start, 10);
  policy.Note(start + seconds(5), 20);
  policy.Note(start + seconds(12), 30);
  EXPECT_EQ(policy.Next(), start + seconds(170));
  EXPECT_FALSE(policy.Due(start + seconds(169), 0, 30, 0));
  EXPECT_EQ(policy.Due(start + seconds(170), 0, 30, 0), 20);
  EXPECT_EQ(policy.Next(), start + seconds(182));
  EXPECT_EQ(policy.Due(start + seconds(500), 20, 30, 0), 30);
  EXPECT_FALSE(policy.Next());
}

TEST(CompactionPolicyTest, GivesUpAQuarterOfWhatIsTooMuch) {
  const CompactionPolicy::Time now{};
  CompactionPolicy policy({.age = seconds(160), .bytes = 1000, .changes = 100});
  EXPECT_FALSE(policy.Due(now, 0, 100, 1000));
  EXPECT_EQ(policy.Due(now, 0, 100, 1001), 25);
  EXPECT_EQ(policy.Due(now, 0, 101, 0), 26);
  EXPECT_EQ(policy.Due(now, 200, 201, 5000), 201) << "at least one";
}

}  // namespace
}  // namespace podium::store
