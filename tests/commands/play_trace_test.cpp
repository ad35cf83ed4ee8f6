#include "commands/play_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cli/node_facts.h"
#include "node/pod_trace.h"

namespace podium::commands {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int64_t kMs = 1'000'000;

// A request at 100 ms; the answer comes after 3, the pod has started after 20.
PodTrace Read(const Trace& trace) {
  PodTrace out;
  out.asked = 100 * kMs;
  out.answered = 103 * kMs;
  out.seen = 120 * kMs;
  EXPECT_TRUE(ReadSteps(node::TraceJson(trace), &out).ok());
  return out;
}

void Add(Trace* trace, const char* name, uint32_t depth, int64_t begin_us, int64_t end_us,
         std::string subject = {}) {
  trace->Add({.name = name,
              .subject = std::move(subject),
              .begin = (100 * kMs) + (begin_us * 1000),
              .end = (100 * kMs) + (end_us * 1000),
              .depth = depth});
}

TEST(PlayTrace, TellsWhereTheTimeIs) {
  Trace trace;
  Add(&trace, "round", 0, 1000, 19000);
  Add(&trace, "RunPodSandbox", 1, 2000, 8000);
  Add(&trace, "network", 2, 3000, 4500);
  Add(&trace, "told", 1, 8000, 8000);
  Add(&trace, "container", 1, 8000, 18000, "web\x1b");
  EXPECT_EQ(TraceTable("default/web", Read(trace)),
            "pod default/web, in milliseconds since the request\n"
            "        at     takes       own  step\n"
            "     0.000     3.000            request and answer\n"
            "     1.000    18.000     2.000  round\n"
            "     2.000     6.000     4.500    RunPodSandbox\n"
            "     3.000     1.500                network\n"
            "     8.000                        told\n"
            "     8.000    10.000              container: web\\x1b\n"
            "    20.000                      seen to have started\n");
}

TEST(PlayTrace, SmallNeighboursShareALine) {
  Trace trace;
  Add(&trace, "a", 0, 1000, 1010);
  Add(&trace, "b", 0, 1010, 1030);
  Add(&trace, "large", 0, 1030, 2000);
  Add(&trace, "alone", 0, 2000, 2010);
  Add(&trace, "whole", 0, 2010, 2020);
  Add(&trace, "part", 1, 2012, 2014);
  const std::string table = TraceTable("p", Read(trace));
  EXPECT_THAT(table, HasSubstr("     1.000     0.030            (2 small steps)\n"
                               "     1.030     0.970            large\n"
                               "     2.000     0.010            alone\n"
                               "     2.010     0.010     0.008  whole\n"
                               "     2.012     0.002              part\n"));
}

TEST(PlayTrace, OnlyTheStart) {
  Trace trace(2);
  Add(&trace, "start", 0, 1000, 30000);
  Add(&trace, "restart", 0, 20001, 30000);
  Add(&trace, "too much", 0, 20001, 30000);
  const PodTrace read = Read(trace);
  EXPECT_THAT(read.steps, SizeIs(1));
  EXPECT_THAT(TraceTable("p", read), HasSubstr("            1 step more\n"));
  PodTrace none;
  EXPECT_FALSE(ReadSteps("{", &none).ok());
}

TEST(PlayTrace, AsJson) {
  Trace trace;
  Add(&trace, "image", 1, 1, 2, "busybox");
  EXPECT_EQ(reflect::ToText(TraceJson(Read(trace))),
            R"({"askedNanoseconds":100000000,"answeredNanoseconds":103000000,)"
            R"("seenNanoseconds":120000000,"steps":[{"name":"image","subject":"busybox",)"
            R"("depth":1,"beginNanoseconds":100001000,"endNanoseconds":100002000}],"dropped":0})");
}

}  // namespace
}  // namespace podium::commands
