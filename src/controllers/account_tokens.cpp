#include "controllers/account_tokens.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "controllers/keyed_work.h"
#include "reflect/copy.h"

namespace podium::controllers {
namespace {

using api::core::v1::Secret;
using api::core::v1::ServiceAccount;
using api::meta::v1::ObjectMeta;
using client::Reconciled;
using client::SharedObject;
using client::Target;

constexpr std::string_view kName = "serviceaccount-token-controller";
constexpr std::string_view kType = "kubernetes.io/service-account-token";
constexpr const char* kAccountName = "kubernetes.io/service-account.name";
constexpr const char* kAccountUid = "kubernetes.io/service-account.uid";
// Before the key of an account: no namespace has a space.
constexpr std::string_view kSecretsOf = "secrets ";
constexpr const char* kToken = "token";
constexpr const char* kRootCa = "ca.crt";
constexpr const char* kNamespace = "namespace";

std::string AnnotationOf(const ObjectMeta& object, const char* name) {
  const auto found = object.annotations.find(name);
  return found == object.annotations.end() ? "" : found->second;
}

std::string DataOf(const Secret& secret, const char* name) {
  const auto found = secret.data.find(name);
  return found == secret.data.end() ? "" : found->second.data;
}

// A Secret that names no uid is any account's of that name.
bool IsOf(const Secret& secret, const ServiceAccount& account) {
  const std::string uid = AnnotationOf(secret.metadata, kAccountUid);
  return secret.type == kType &&
         AnnotationOf(secret.metadata, kAccountName) == account.metadata.name &&
         (uid.empty() || uid == account.metadata.uid);
}

template <class T>
Target At(const std::string& name_space, const std::string& name) {
  return *client::TargetOf(reflect::TypeOf<T>(), {name_space, name});
}

class AccountTokens final : public Controller {
 public:
  AccountTokens(const ControllerContext& context, AccountTokenOptions options)
      : connection_(*context.connection),
        options_(std::move(options)),
        accounts_(context.informers->For<ServiceAccount>()),
        secrets_(context.informers->For<Secret>()),
        work_(context, kName, 5, [this](const std::string& key) { return Sync(key); }) {}

  std::string_view name() const override { return kName; }
  // An account has two keys: its own, and one for news of its Secrets. By the latter none is made:
  // one that cannot be listed is deleted again, which would ask for the next at once.
  void Start() override {
    const auto add = [this](const SharedObject& object) { work_.Add(client::KeyOf(object)); };
    const auto add_of = [this](const SharedObject& object) {
      const auto secret = object.As<Secret>();
      if (secret->type != kType) return;
      work_.Add(std::string(kSecretsOf) + secret->metadata.namespace_ + "/" +
                AnnotationOf(secret->metadata, kAccountName));
    };
    work_.Follow(accounts_, {.on_add = [=](const auto& account, bool) { add(account); },
                             .on_update = [=](const auto&, const auto& account) { add(account); },
                             .on_delete = [=](const auto& account, bool) { add(account); }});
    work_.Follow(secrets_, {.on_add = [=](const auto& secret, bool) { add_of(secret); },
                            .on_update = [=](const auto&, const auto& secret) { add_of(secret); },
                            .on_delete = [=](const auto& secret, bool) { add_of(secret); }});
    work_.Open();
  }

 private:
  using SecretPtr = std::shared_ptr<const Secret>;

  Result<Reconciled> Sync(const std::string& key);
  std::vector<SecretPtr> SecretsNaming(const std::string& name_space, const std::string& account);
  Result<std::shared_ptr<const ServiceAccount>> LiveAccount(const client::ObjectKey& key);
  Result<void> Fill(const ServiceAccount& account, const Secret& secret);
  bool NeedsFilling(const Secret& secret) const;
  Result<void> FillIn(const ServiceAccount& account, Secret* secret) const;
  Result<void> Delete(const ObjectMeta& secret);
  // Whether it lists none with a token, and is as it should be otherwise.
  Result<bool> TidyReferences(const ServiceAccount& account, const std::vector<SecretPtr>& own);
  Result<void> MakeOwn(const ServiceAccount& account);

  client::Connection& connection_;
  const AccountTokenOptions options_;
  client::Informer& accounts_;
  client::Informer& secrets_;
  KeyedWork work_;
};

std::vector<AccountTokens::SecretPtr> AccountTokens::SecretsNaming(const std::string& name_space,
                                                                   const std::string& account) {
  std::vector<SecretPtr> found;
  for (const SharedObject& each : secrets_.List(name_space)) {
    SecretPtr secret = each.As<Secret>();
    if (secret->type == kType && AnnotationOf(secret->metadata, kAccountName) == account) {
      found.push_back(std::move(secret));
    }
  }
  return found;
}

// Asked of the server: what the informer has not heard of yet is no reason to delete a Secret.
Result<std::shared_ptr<const ServiceAccount>> AccountTokens::LiveAccount(
    const client::ObjectKey& key) {
  std::shared_ptr<const ServiceAccount> none;
  if (key.name.empty()) return none;
  const auto got = connection_.Get(At<ServiceAccount>(key.namespace_, key.name), {});
  if (got.ok()) return got->As<ServiceAccount>();
  if (got.error().code() == Code::kNotFound) return none;
  return got.error();
}

Result<Reconciled> AccountTokens::Sync(const std::string& key) {
  const bool by_secret = key.starts_with(kSecretsOf);
  const client::ObjectKey parts = SplitKey(by_secret ? key.substr(kSecretsOf.size()) : key);
  const std::vector<SecretPtr> named = SecretsNaming(parts.namespace_, parts.name);
  auto account = accounts_.Get<ServiceAccount>(parts);
  const auto is_own = [&](const SecretPtr& secret) {
    return account != nullptr && IsOf(*secret, *account);
  };
  if (!std::ranges::all_of(named, is_own)) {
    TRY(account, LiveAccount(parts));
  }
  std::vector<SecretPtr> own;
  for (const SecretPtr& secret : named) {
    if (!is_own(secret)) {
      TRY_VOID(Delete(secret->metadata));
      continue;
    }
    own.push_back(secret);
    if (NeedsFilling(*secret)) TRY_VOID(Fill(*account, *secret));
  }
  if (account == nullptr || account->metadata.deletionTimestamp) return Reconciled();
  TRY(const bool lacks_token, TidyReferences(*account, own));
  if (lacks_token && !by_secret && options_.for_each_account) TRY_VOID(MakeOwn(*account));
  return Reconciled();
}

Result<void> AccountTokens::Delete(const ObjectMeta& secret) {
  api::meta::v1::DeleteOptions options;
  options.preconditions.ensure().uid = secret.uid;
  const auto deleted = connection_.Delete(At<Secret>(secret.namespace_, secret.name), options);
  if (deleted.ok()) return {};
  const Code code = deleted.error().code();
  if (code == Code::kNotFound || code == Code::kConflict) return {};
  return deleted.error();
}

bool AccountTokens::NeedsFilling(const Secret& secret) const {
  return DataOf(secret, kToken).empty() || DataOf(secret, kNamespace).empty() ||
         DataOf(secret, kRootCa) != options_.root_ca;
}

Result<void> AccountTokens::FillIn(const ServiceAccount& account, Secret* secret) const {
  const auto set = [&](const char* name, std::string value) {
    secret->data[name] = {.data = std::move(value), .present = true};
  };
  set(kRootCa, options_.root_ca);
  if (DataOf(*secret, kNamespace).empty()) set(kNamespace, secret->metadata.namespace_);
  if (DataOf(*secret, kToken).empty()) {
    TRY(std::string token, options_.issue(account, secret->metadata.name));
    set(kToken, std::move(token));
  }
  secret->metadata.annotations[kAccountName] = account.metadata.name;
  secret->metadata.annotations[kAccountUid] = account.metadata.uid;
  return {};
}

Result<void> AccountTokens::Fill(const ServiceAccount& account, const Secret& secret) {
  Secret filled = reflect::Copy(secret);
  TRY_VOID(FillIn(account, &filled));
  const auto& metadata = secret.metadata;
  const auto updated =
      connection_.Update(At<Secret>(metadata.namespace_, metadata.name), filled, {});
  if (updated.ok()) return {};
  // Whoever changed it since makes it come again.
  const Code code = updated.error().code();
  if (code == Code::kNotFound || code == Code::kConflict) return {};
  return updated.error();
}

Result<bool> AccountTokens::TidyReferences(const ServiceAccount& account,
                                           const std::vector<SecretPtr>& own) {
  const auto& metadata = account.metadata;
  ServiceAccount kept = reflect::Copy(account);
  kept.secrets.clear();
  bool has_token = false;
  for (const auto& reference : account.secrets) {
    const bool is_token = std::ranges::any_of(
        own, [&](const SecretPtr& secret) { return secret->metadata.name == reference.name; });
    has_token = has_token || is_token;
    bool gone = false;
    // Only what this controller lists is its own to take away.
    if (!is_token && reference.name.starts_with(metadata.name + "-token-")) {
      const auto got = connection_.Get(At<Secret>(metadata.namespace_, reference.name), {});
      if (!got.ok() && got.error().code() != Code::kNotFound) return got.error();
      gone = !got.ok();
      has_token = has_token || (got.ok() && IsOf(*got->As<Secret>(), account));
    }
    if (!gone) kept.secrets.push_back(reference);
  }
  if (kept.secrets.size() != account.secrets.size()) {
    TRY_VOID(connection_.Update(At<ServiceAccount>(metadata.namespace_, metadata.name), kept, {}));
    return false;  // and comes again
  }
  return !has_token;
}

Result<void> AccountTokens::MakeOwn(const ServiceAccount& account) {
  const auto& metadata = account.metadata;
  Secret secret;
  secret.metadata.namespace_ = metadata.namespace_;
  secret.metadata.generateName = metadata.name + "-token-";
  secret.metadata.annotations[kAccountName] = metadata.name;
  secret.metadata.annotations[kAccountUid] = metadata.uid;
  secret.type = kType;
  TRY(const SharedObject made, connection_.Create(At<Secret>(metadata.namespace_, ""), secret, {}));
  // Its token names it, and is made when the informer tells of it.
  ServiceAccount changed = reflect::Copy(account);
  changed.secrets.emplace_back().name = made.meta()->name;
  const auto updated =
      connection_.Update(At<ServiceAccount>(metadata.namespace_, metadata.name), changed, {});
  if (updated.ok()) return {};
  // One that nobody lists would be followed by another.
  TRY_VOID(Delete(*made.meta()));
  return updated.error();
}

}  // namespace

std::unique_ptr<Controller> MakeAccountTokens(const ControllerContext& context,
                                              AccountTokenOptions options) {
  return std::make_unique<AccountTokens>(context, std::move(options));
}

}  // namespace podium::controllers
