#include "client/leader_election.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "api/types/coordination_v1.h"
#include "client/fake_server.h"
#include "client/virtual_time.h"

namespace podium::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
namespace coordination = api::coordination::v1;

class LeaderElectionTest : public ::testing::Test {
 protected:
  LeaderElectionOptions Options(const std::string& identity) {
    return {.connection = &server_,
            .executor = &time_,
            .clock = &time_,
            .lease = {"kube-system", "controllers"},
            .identity = identity,
            .on_started_leading = [this, identity] { said_.push_back(identity + " leads"); },
            .on_stopped_leading = [this, identity] { said_.push_back(identity + " stops"); },
            .on_new_leader =
                [this, identity](const std::string& leader) {
                  said_.push_back(identity + " sees " + leader);
                },
            .on_error = [this](const Error& error) { errors_.push_back(error.message()); }};
  }
  std::unique_ptr<LeaderElector> Started(LeaderElectionOptions options) {
    auto elector = LeaderElector::Create(std::move(options));
    EXPECT_TRUE(elector.ok()) << elector.error().message();
    (*elector)->Start();
    return *std::move(elector);
  }
  coordination::LeaseSpec Lease() {
    const auto lease =
        server_.Get({"coordination.k8s.io", "v1", "leases", "kube-system", "controllers"}, {});
    EXPECT_TRUE(lease.ok());
    return lease.ok() ? lease->As<coordination::Lease>()->spec : coordination::LeaseSpec();
  }
  std::vector<std::string> Said() { return std::exchange(said_, {}); }
  // Calls that write fail.
  void Cut(bool cut) {
    server_.SetFault([cut](std::string_view, const Target&) -> std::optional<Error> {
      if (cut) return Error(Code::kUnavailable, "cut off");
      return std::nullopt;
    });
  }

  VirtualTime time_;
  FakeServer server_{time_};
  std::vector<std::string> said_;
  std::vector<std::string> errors_;
};

TEST_F(LeaderElectionTest, OneLeads) {
  const auto a = Started(Options("a"));
  const auto b = Started(Options("b"));
  time_.RunFor(60s);
  EXPECT_THAT(Said(), ElementsAre("a sees a", "a leads", "b sees a"));
  EXPECT_TRUE(a->IsLeader());
  EXPECT_FALSE(b->IsLeader());
  EXPECT_EQ(b->Leader(), "a");
  const coordination::LeaseSpec lease = Lease();
  EXPECT_EQ(lease.holderIdentity, "a");
  EXPECT_EQ(lease.leaseDurationSeconds, 15);
  EXPECT_EQ(lease.leaseTransitions, 0);
  EXPECT_LT(lease.acquireTime->unix_micros() + 50'000'000, lease.renewTime->unix_micros());
  EXPECT_THAT(errors_, IsEmpty());
}

TEST_F(LeaderElectionTest, AnotherTakesOverFromOneThatIsGone) {
  auto a = Started(Options("a"));
  const auto b = Started(Options("b"));
  time_.RunFor(10s);
  Said();
  a->Stop();
  EXPECT_THAT(Said(), ElementsAre("a stops"));
  // Not before the lease is over.
  time_.RunFor(12s);
  EXPECT_THAT(Said(), IsEmpty());
  time_.RunFor(6s);
  EXPECT_THAT(Said(), ElementsAre("b sees b", "b leads"));
  EXPECT_EQ(Lease().leaseTransitions, 1);
  // With the word of the one that goes, at once.
  LeaderElectionOptions options = Options("c");
  options.release_on_stop = true;
  b->Stop();
  auto c = Started(options);
  time_.RunFor(20s);
  ASSERT_TRUE(c->IsLeader());
  Said();
  c->Stop();
  EXPECT_EQ(Lease().holderIdentity, "");
  const auto d = Started(Options("d"));
  time_.RunFor(1s);
  EXPECT_THAT(Said(), ElementsAre("c stops", "d sees d", "d leads"));
}

TEST_F(LeaderElectionTest, WhoCannotRenewStopsBeforeAnotherBegins) {
  const auto a = Started(Options("a"));
  time_.RunFor(4s);
  EXPECT_TRUE(a->IsLeader());
  Said();
  Cut(true);
  time_.RunFor(9s);
  EXPECT_TRUE(a->IsLeader());
  time_.RunFor(2s);
  EXPECT_FALSE(a->IsLeader());
  EXPECT_THAT(Said(), ElementsAre("a stops"));
  EXPECT_FALSE(errors_.empty());
  // It wants it again, and has it: nobody has taken it.
  Cut(false);
  time_.RunFor(10s);
  EXPECT_THAT(Said(), ElementsAre("a leads"));
}

TEST_F(LeaderElectionTest, ALeaseThatIsTakenAwayIsLost) {
  const auto a = Started(Options("a"));
  time_.RunFor(4s);
  const Target target{"coordination.k8s.io", "v1", "leases", "kube-system", "controllers"};
  coordination::Lease lease = *server_.Get(target, {})->As<coordination::Lease>();
  lease.spec.holderIdentity = "x";
  ASSERT_TRUE(server_.Update(target, lease, {}).ok());
  Said();
  time_.RunFor(3s);
  EXPECT_THAT(Said(), ElementsAre("a sees x", "a stops"));
  EXPECT_FALSE(a->IsLeader());
}

// Their clocks need not agree: what counts is how long the lease stays as it is.
TEST_F(LeaderElectionTest, BelievesNoOthersClock) {
  class Ahead : public Clock {
   public:
    explicit Ahead(const Clock& clock) : clock_(clock) {}
    int64_t Now() const override { return clock_.Now() + (3600 * kNanosPerSecond); }

   private:
    const Clock& clock_;
  };
  const Ahead ahead(time_);
  const auto a = Started(Options("a"));
  LeaderElectionOptions options = Options("b");
  options.clock = &ahead;
  const auto b = Started(options);
  time_.RunFor(120s);
  EXPECT_TRUE(a->IsLeader());
  EXPECT_FALSE(b->IsLeader());
}

TEST_F(LeaderElectionTest, NeverHasTwoLeaders) {
  std::mt19937 random(11);
  std::vector<std::unique_ptr<LeaderElector>> electors;
  std::vector<bool> cut(3);
  // Each with a wire of its own to cut.
  class Wire : public Connection {
   public:
    Wire(Connection& server, const std::vector<bool>& cut, size_t index)
        : server_(server), cut_(cut), index_(index) {}
    Result<SharedObject> Get(const Target& t, const api::meta::v1::GetOptions& o) override {
      if (cut_[index_]) return Error(Code::kUnavailable, "cut");
      return server_.Get(t, o);
    }
    Result<SharedObject> Create(const Target& t, const ObjectView& v,
                                const api::meta::v1::CreateOptions& o) override {
      if (cut_[index_]) return Error(Code::kUnavailable, "cut");
      return server_.Create(t, v, o);
    }
    Result<SharedObject> Update(const Target& t, const ObjectView& v,
                                const api::meta::v1::UpdateOptions& o) override {
      if (cut_[index_]) return Error(Code::kUnavailable, "cut");
      return server_.Update(t, v, o);
    }
    Result<ObjectList> List(const Target&, const api::meta::v1::ListOptions&) override {
      return Error(Code::kUnsupported, "");
    }
    Result<SharedObject> Patch(const Target&, PatchType, std::string_view,
                               const api::meta::v1::PatchOptions&) override {
      return Error(Code::kUnsupported, "");
    }
    Result<SharedObject> Delete(const Target&, const api::meta::v1::DeleteOptions&) override {
      return Error(Code::kUnsupported, "");
    }
    Result<void> DeleteCollection(const Target&, const api::meta::v1::DeleteOptions&,
                                  const api::meta::v1::ListOptions&) override {
      return Error(Code::kUnsupported, "");
    }
    Result<std::unique_ptr<ObjectWatch>> Watch(const Target&, const api::meta::v1::ListOptions&,
                                               Ready) override {
      return Error(Code::kUnsupported, "");
    }
    Result<std::string> GetRaw(const std::string&) override {
      return Error(Code::kUnsupported, "");
    }

   private:
    Connection& server_;
    const std::vector<bool>& cut_;
    const size_t index_;
  };
  std::vector<std::unique_ptr<Wire>> wires;
  for (size_t i = 0; i < 3; ++i) {
    wires.push_back(std::make_unique<Wire>(server_, cut, i));
    LeaderElectionOptions options = Options(std::string(1, static_cast<char>('a' + i)));
    options.connection = wires.back().get();
    options.random = [&random] { return static_cast<double>(random() % 1000) / 1000; };
    electors.push_back(Started(std::move(options)));
  }
  int led = 0;
  for (int step = 0; step < 4000; ++step) {
    if (random() % 20 == 0) cut[random() % 3] = random() % 2 == 0;
    time_.RunFor(std::chrono::milliseconds(random() % 1000));
    const auto leaders =
        std::ranges::count_if(electors, [](const auto& elector) { return elector->IsLeader(); });
    ASSERT_LE(leaders, 1) << step;
    led += static_cast<int>(leaders);
  }
  EXPECT_GT(led, 1000);
  EXPECT_GT(Lease().leaseTransitions, 5);
}

TEST_F(LeaderElectionTest, RefusesTimesThatCannotWork) {
  LeaderElectionOptions options = Options("a");
  options.lease_duration = 10s;
  EXPECT_EQ(LeaderElector::Create(options).error().message(),
            "leaseDuration must be greater than renewDeadline");
  options = Options("a");
  options.retry_period = 9s;
  EXPECT_EQ(LeaderElector::Create(options).error().message(),
            "renewDeadline must be greater than retryPeriod*JitterFactor");
  EXPECT_FALSE(LeaderElector::Create(Options("")).ok());
}

}  // namespace
}  // namespace podium::client
