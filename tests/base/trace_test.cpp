#include "base/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace podium {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Shown(const Trace& trace) {
  std::vector<std::string> out;
  for (const TraceStep& step : trace.steps()) {
    out.push_back(std::string(step.depth, ' ') + step.name + ':' + step.subject);
  }
  return out;
}

TEST(TraceTest, StepsStandInTheirOrderAndLieInEachOther) {
  Trace trace;
  const int64_t before = TraceNow();
  {
    const TraceScope scope(&trace);
    const TraceSpan whole("pod");
    {
      const TraceSpan first("sandbox", "s");
      const TraceSpan inner("network");
    }
    TraceMark("told");
    const TraceSpan second("container", "c");
  }
  const int64_t after = TraceNow();
  EXPECT_THAT(Shown(trace),
              ElementsAre("pod:", " sandbox:s", "  network:", " told:", " container:c"));
  for (const TraceStep& step : trace.steps()) {
    EXPECT_LE(before, step.begin);
    EXPECT_LE(step.begin, step.end);
    EXPECT_LE(step.end, after);
  }
}

TEST(TraceTest, NobodyAsksAndNothingIsKept) {
  {
    const TraceSpan span("step");
    TraceMark("mark");
    TraceInterval("interval", 1, 2);
  }
  EXPECT_EQ(TraceContext::Current().trace, nullptr);
  EXPECT_EQ(TraceContext::Current().depth, 0);
}

TEST(TraceTest, AScopeEndsWithWhatWasBefore) {
  Trace outer;
  Trace inner;
  const TraceScope first(&outer);
  {
    const TraceSpan span("outer");
    const TraceScope second(&inner);
    const TraceSpan other("inner");
  }
  {
    const TraceScope none(nullptr);
    const TraceSpan unseen("unseen");
  }
  EXPECT_THAT(Shown(outer), ElementsAre("outer:"));
  EXPECT_THAT(Shown(inner), ElementsAre("inner:"));
}

TEST(TraceTest, AnotherThreadTakesTheContextAlong) {
  Trace trace;
  {
    const TraceScope scope(&trace);
    const TraceSpan whole("whole");
    const TraceContext context = TraceContext::Current();
    std::thread([&] {
      TraceMark("of nobody");
      const TraceScope taken(context);
      const TraceSpan part("part");
    }).join();
  }
  EXPECT_THAT(Shown(trace), ElementsAre("whole:", " part:"));
}

TEST(TraceTest, MeasuredElsewhereAndBounded) {
  Trace trace(2);
  const TraceScope scope(&trace);
  TraceInterval("later", 30, 40);
  TraceInterval("earlier", 10, 20, "x");
  TraceMark("too much");
  EXPECT_THAT(trace.steps(),
              ElementsAre(TraceStep{"earlier", "x", 10, 20, 0}, TraceStep{"later", "", 30, 40, 0}));
  EXPECT_EQ(trace.dropped(), 1);
  EXPECT_THAT(Trace().steps(), IsEmpty());
  EXPECT_THAT(trace.steps(), SizeIs(2));
}

}  // namespace
}  // namespace podium
