#include "controllers/expiry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/types/coordination_v1.h"
#include "controllers/cluster.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::coordination::v1::Lease;
using api::core::v1::Event;
using testing::IsEmpty;

class ExpiryTest : public ControllersTest {
 public:
  api::Time After(std::chrono::seconds delay) const {
    return api::Time::FromUnix(time.Now() / kNanosPerSecond + delay.count());
  }
  void PutEvent(const std::string& name) {
    Event event;
    event.metadata.namespace_ = "a";
    event.metadata.name = name;
    // What it says of itself does not count.
    event.lastTimestamp = After(24h);
    Put(event);
  }
  // As the server notes each write, and as a client may have made it up.
  void Touch(const std::string& name, api::Time at) {
    Event event = reflect::Copy(*Get<Event>("a", name));
    ++event.count;
    auto& entry = event.metadata.managedFields.emplace_back();
    entry.manager = "kubelet";
    entry.operation = "Update";
    entry.time = at;
    ASSERT_TRUE(server.Update(At<Event>("a", name), event, {}).ok());
  }
  void PutLease(const std::string& name_space, const std::string& name, bool of_server,
                std::optional<std::chrono::seconds> renewed) {
    Lease lease;
    lease.metadata.namespace_ = name_space;
    lease.metadata.name = name;
    if (of_server) lease.metadata.labels["apiserver.kubernetes.io/identity"] = "kube-apiserver";
    if (renewed) {
      lease.spec.renewTime =
          api::MicroTime::FromUnixMicros(After(*renewed).unix_seconds() * 1'000'000);
      lease.spec.leaseDurationSeconds = 3600;
    }
    Put(lease);
  }
};

TEST_F(ExpiryTest, EventsGoOneHourAfterTheirLastWrite) {
  PutEvent("once");
  PutEvent("again");
  PutEvent("forged");
  const auto controller = MakeEventExpiry(Context());
  Start(*controller);
  time.RunFor(30min);
  Touch("again", After(0s));
  Touch("forged", After(24h));
  PutEvent("late");
  time.RunFor(29min);
  EXPECT_NE(Get<Event>("a", "once"), nullptr);
  time.RunFor(1min);
  EXPECT_EQ(Get<Event>("a", "once"), nullptr);
  EXPECT_EQ(Get<Event>("a", "forged"), nullptr);
  EXPECT_NE(Get<Event>("a", "again"), nullptr);
  EXPECT_NE(Get<Event>("a", "late"), nullptr);
  time.RunFor(29min);
  EXPECT_NE(Get<Event>("a", "again"), nullptr);
  EXPECT_NE(Get<Event>("a", "late"), nullptr);
  time.RunFor(2min);
  EXPECT_EQ(Get<Event>("a", "again"), nullptr);
  EXPECT_EQ(Get<Event>("a", "late"), nullptr);
  EXPECT_THAT(errors, IsEmpty());
  // Nothing is left to do: of those that are gone no key waits.
  EXPECT_EQ(server.calls("delete"), 4);
}

TEST_F(ExpiryTest, LeasesOfServersThatAreGone) {
  PutLease("kube-system", "old", true, -2h);
  PutLease("kube-system", "never", true, std::nullopt);
  PutLease("kube-system", "alive", true, -30min);
  PutLease("kube-system", "election", false, -2h);
  PutLease("kube-node-lease", "node", true, -2h);
  const auto controller = MakeServerLeaseExpiry(Context());
  Start(*controller);
  EXPECT_EQ(Get<Lease>("kube-system", "old"), nullptr);
  EXPECT_EQ(Get<Lease>("kube-system", "never"), nullptr);
  EXPECT_NE(Get<Lease>("kube-system", "alive"), nullptr);
  time.RunFor(1h);
  EXPECT_EQ(Get<Lease>("kube-system", "alive"), nullptr);
  EXPECT_NE(Get<Lease>("kube-system", "election"), nullptr);
  EXPECT_NE(Get<Lease>("kube-node-lease", "node"), nullptr);
  EXPECT_THAT(errors, IsEmpty());
}

}  // namespace
}  // namespace podium::controllers
