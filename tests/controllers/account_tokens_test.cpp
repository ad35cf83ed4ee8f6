#include "controllers/account_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "controllers/cluster.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::core::v1::Secret;
using api::core::v1::ServiceAccount;
using testing::IsEmpty;
using testing::SizeIs;

class AccountTokensTest : public ControllersTest {
 public:
  std::unique_ptr<Controller> Make(bool for_each_account = false) {
    return MakeAccountTokens(Context(),
                             {.issue = [](const ServiceAccount& account,
                                          std::string_view secret) -> Result<std::string> {
                                return account.metadata.uid + " in " + std::string(secret);
                              },
                              .root_ca = "PEM",
                              .for_each_account = for_each_account});
  }
  void PutSecret(const std::string& name, const std::string& account, const std::string& uid = "",
                 const std::string& type = "kubernetes.io/service-account-token") {
    Secret secret;
    secret.metadata.namespace_ = "a";
    secret.metadata.name = name;
    secret.metadata.annotations["kubernetes.io/service-account.name"] = account;
    if (!uid.empty()) secret.metadata.annotations["kubernetes.io/service-account.uid"] = uid;
    secret.type = type;
    Put(secret);
  }
};

TEST_F(AccountTokensTest, SecretsMadeByHandAreFilled) {
  PutIn<ServiceAccount>("a", "robot");
  PutSecret("s", "robot");
  PutSecret("other", "robot", "", "Opaque");
  const auto controller = Make();
  Start(*controller);
  const std::string uid = Get<ServiceAccount>("a", "robot")->metadata.uid;
  const auto secret = Get<Secret>("a", "s");
  EXPECT_EQ(secret->data.at("token").data, uid + " in s");
  EXPECT_EQ(secret->data.at("ca.crt").data, "PEM");
  EXPECT_EQ(secret->data.at("namespace").data, "a");
  EXPECT_EQ(secret->metadata.annotations.at("kubernetes.io/service-account.uid"), uid);
  EXPECT_THAT(Get<Secret>("a", "other")->data, IsEmpty());
  EXPECT_THAT(Get<ServiceAccount>("a", "robot")->secrets, IsEmpty());

  // The certificate is kept; the token is whoever's that put it there.
  Secret changed = reflect::Copy(*secret);
  changed.data["ca.crt"].data = "forged";
  changed.data["token"].data = "mine";
  ASSERT_TRUE(server.Update(At<Secret>("a", "s"), changed, {}).ok());
  time.RunFor(1s);
  EXPECT_EQ(Get<Secret>("a", "s")->data.at("ca.crt").data, "PEM");
  EXPECT_EQ(Get<Secret>("a", "s")->data.at("token").data, "mine");
  const int updates = server.calls("update");
  time.RunFor(60s);
  EXPECT_EQ(server.calls("update"), updates);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(AccountTokensTest, SecretsGoWithTheirAccount) {
  PutIn<ServiceAccount>("a", "robot");
  PutSecret("s", "robot");
  PutSecret("nobody", "stranger");
  PutSecret("former", "robot", "another-uid");
  PutSecret("opaque", "stranger", "", "Opaque");
  const auto controller = Make();
  Start(*controller);
  EXPECT_NE(Get<Secret>("a", "s"), nullptr);
  EXPECT_EQ(Get<Secret>("a", "nobody"), nullptr);
  EXPECT_EQ(Get<Secret>("a", "former"), nullptr);
  Delete<ServiceAccount>("a", "robot");
  time.RunFor(1s);
  EXPECT_EQ(Get<Secret>("a", "s"), nullptr);
  EXPECT_NE(Get<Secret>("a", "opaque"), nullptr);
}

TEST_F(AccountTokensTest, LegacyOneForEachAccount) {
  PutIn<ServiceAccount>("a", "robot");
  const auto controller = Make(true);
  Start(*controller);
  ASSERT_THAT(Get<ServiceAccount>("a", "robot")->secrets, SizeIs(1));
  const std::string name = Get<ServiceAccount>("a", "robot")->secrets[0].name;
  EXPECT_THAT(name, testing::StartsWith("robot-token-"));
  EXPECT_FALSE(Get<Secret>("a", name)->data.at("token").data.empty());
  time.RunFor(60s);
  EXPECT_EQ(server.calls("create"), 2);
  // Another one comes for it.
  Delete<Secret>("a", name);
  time.RunFor(1s);
  ASSERT_THAT(Get<ServiceAccount>("a", "robot")->secrets, SizeIs(1));
  EXPECT_NE(Get<ServiceAccount>("a", "robot")->secrets[0].name, name);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(AccountTokensTest, LegacyNoneStaysThatIsNotListed) {
  PutIn<ServiceAccount>("a", "robot");
  server.SetFault([](std::string_view verb, const client::Target& target) -> std::optional<Error> {
    if (verb == "update" && target.resource == "serviceaccounts") {
      return Error(Code::kConflict, "changed");
    }
    return std::nullopt;
  });
  const auto controller = Make(true);
  Start(*controller);
  EXPECT_FALSE(errors.empty());
  EXPECT_THAT(server.List(At<Secret>("a"), {})->items, IsEmpty());
  server.SetFault({});
  time.RunFor(60s);
  EXPECT_THAT(server.List(At<Secret>("a"), {})->items, SizeIs(1));
}

}  // namespace
}  // namespace podium::controllers
