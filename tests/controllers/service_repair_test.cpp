#include "controllers/service_repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "controllers/cluster.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::core::v1::Event;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class ServiceRepairControllerTest : public ControllersTest {
 public:
  std::vector<std::string> Events() {
    std::vector<std::string> texts;
    for (const auto& each : server.List(At<Event>("a"), {})->items) {
      const auto event = each.As<Event>();
      texts.push_back(event->source.component + " " + event->reason + " " +
                      event->involvedObject.name + " x" + std::to_string(event->count));
    }
    return texts;
  }
};

TEST_F(ServiceRepairControllerTest, RunsAtTheStartAndEveryThreeMinutes) {
  int runs = 0;
  const auto controller = MakeServiceRepair(Context(), [&] {
    ++runs;
    return std::vector<ServiceProblem>{
        {.namespace_ = "a", .name = "one", .reason = "ClusterIPAlreadyAllocated"},
        {.namespace_ = "a", .name = "two", .reason = "PortNotAllocated"}};
  });
  Start(*controller);
  EXPECT_EQ(runs, 1);
  EXPECT_THAT(Events(),
              UnorderedElementsAre("ipallocator-repair-controller ClusterIPAlreadyAllocated one x1",
                                   "portallocator-repair-controller PortNotAllocated two x1"));
  time.RunFor(178s);
  EXPECT_EQ(runs, 1);
  time.RunFor(3s);
  EXPECT_EQ(runs, 2);
  EXPECT_THAT(Events(),
              UnorderedElementsAre("ipallocator-repair-controller ClusterIPAlreadyAllocated one x2",
                                   "portallocator-repair-controller PortNotAllocated two x2"));
}

TEST_F(ServiceRepairControllerTest, WhatFailsIsTriedAgain) {
  int runs = 0;
  const auto controller =
      MakeServiceRepair(Context(), [&]() -> Result<std::vector<ServiceProblem>> {
        if (++runs < 3) return Error(Code::kUnavailable, "disk");
        return std::vector<ServiceProblem>();
      });
  Start(*controller);
  EXPECT_EQ(runs, 3);
  EXPECT_THAT(errors,
              ElementsAre("service-repair services: disk", "service-repair services: disk"));
}

}  // namespace
}  // namespace podium::controllers
