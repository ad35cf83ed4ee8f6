// NamespaceLifecycle, the storage plugins, DefaultIngressClass, TaintNodesByCondition, the
// certificate plugins, and the chain.
#include "api/types/certificates_v1.h"
#include "api/types/core_v1.h"
#include "api/types/networking_v1.h"
#include "api/types/storage_v1.h"
#include "apiserver/admission/admission_fixture.h"
#include "apiserver/admission/all.h"
#include "apiserver/admission/chain.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/requests.h"

namespace podium::apiserver {
namespace {

using api::certificates::v1::CertificateSigningRequest;
using api::core::v1::ConfigMap;
using api::core::v1::Namespace;
using api::core::v1::Node;
using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Service;
using api::networking::v1::Ingress;
using api::networking::v1::IngressClass;
using api::storage::v1::StorageClass;

class ClusterPluginsTest : public AdmissionTest {};

constexpr std::string_view kMap = R"({"metadata":{"name":"m","namespace":"ns"}})";

TEST_F(ClusterPluginsTest, NothingComesIntoANamespaceThatIsNotThereOrGoes) {
  auto plugin = NewNamespaceLifecycle(dependencies_);
  const std::string map(kMap);
  EXPECT_EQ(Admit(*plugin, Writing<ConfigMap>(map).request), R"(namespaces "ns" not found)");
  EXPECT_EQ(Admit(*plugin, Writing<ConfigMap>(map, map, "").request),
            R"(namespaces "ns" not found)");
  Writing<ConfigMap> gone(map);
  gone.BecomeDeletion();
  EXPECT_EQ(Admit(*plugin, gone.request), "");
  Writing<ConfigMap> review(map);
  review.request.group = "authorization.k8s.io";
  review.request.resource = "localsubjectaccessreviews";
  EXPECT_EQ(Admit(*plugin, review.request), "");

  Put<Namespace>(R"({"metadata":{"name":"ns"},"status":{"phase":"Active"}})");
  EXPECT_EQ(Admit(*plugin, Writing<ConfigMap>(map).request), "");

  Put<Namespace>(R"({"metadata":{"name":"ns"},"status":{"phase":"Terminating"}})");
  EXPECT_EQ(Admit(*plugin, Writing<ConfigMap>(map, map, "").request), "");
  Writing<ConfigMap> late(map);
  const auto answer = plugin->Admit(late.request);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(
      Text(api::StatusOf(answer.error())),
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)"
      R"("configmaps \"m\" is forbidden: unable to create new content in namespace ns because )"
      R"(it is being terminated","reason":"Forbidden","details":{"name":"m","kind":"configmaps",)"
      R"("causes":[{"reason":"NamespaceTerminating","message":"namespace ns is being terminated",)"
      R"("field":"metadata.namespace"}]},"code":403})");
}

TEST_F(ClusterPluginsTest, TheClustersOwnNamespacesStay) {
  auto plugin = NewNamespaceLifecycle(dependencies_);
  for (const std::string name : {"default", "kube-system", "kube-public"}) {
    Writing<Namespace> write(R"({"metadata":{"name":")" + name + R"("}})");
    EXPECT_EQ(Admit(*plugin, write.request), "");
    write.BecomeDeletion();
    EXPECT_EQ(Admit(*plugin, write.request), "namespaces \"" + name +
                                                 "\" is forbidden: this namespace may not be "
                                                 "deleted");
  }
  Writing<Namespace> write(R"({"metadata":{"name":"kube-node-lease"}})");
  write.BecomeDeletion();
  EXPECT_EQ(Admit(*plugin, write.request), "");
}

TEST_F(ClusterPluginsTest, NamesInMessages) {
  Writing<ConfigMap> write(R"({"metadata":{"generateName":"m-"}})");
  EXPECT_EQ(write.request.Forbid("x").message(), R"(configmaps "m-" is forbidden: x)");
  write.object.metadata.generateName.clear();
  EXPECT_EQ(write.request.Forbid("x").message(), R"(configmaps "Unknown" is forbidden: x)");
}

TEST_F(ClusterPluginsTest, ClaimsGetTheNewestDefaultClass) {
  auto plugin = NewDefaultStorageClass(dependencies_);
  const auto admitted = [&](const std::string& rest) {
    Writing<PersistentVolumeClaim> claim(R"({"metadata":{"name":"v","namespace":"ns")" + rest +
                                         "}");
    EXPECT_EQ(Admit(*plugin, claim.request), "");
    return claim.object.spec.storageClassName.value_or("-");
  };
  EXPECT_EQ(admitted("}"), "-");
  const auto put = [&](const std::string& name, const std::string& time, const std::string& key) {
    Put<StorageClass>(R"({"metadata":{"name":")" + name + R"(","creationTimestamp":")" + time +
                      R"(","annotations":{")" + key + R"(":"true"}},"provisioner":"x"})");
  };
  const std::string key = "storageclass.kubernetes.io/is-default-class";
  put("old", "2026-01-01T00:00:00Z", key);
  put("new-b", "2026-01-02T00:00:00Z", "storageclass.beta.kubernetes.io/is-default-class");
  put("new-a", "2026-01-02T00:00:00Z", key);
  put("other", "2026-01-03T00:00:00Z", "x");
  EXPECT_EQ(admitted("}"), "new-a");
  EXPECT_EQ(admitted(R"(},"spec":{"storageClassName":""})"), "");
  EXPECT_EQ(admitted(R"(,"annotations":{"volume.beta.kubernetes.io/storage-class":"b"}})"), "-");
}

TEST_F(ClusterPluginsTest, IngressesGetTheNewestDefaultClass) {
  auto plugin = NewDefaultIngressClass(dependencies_);
  const auto admitted = [&](const std::string& rest) {
    Writing<Ingress> ingress(R"({"metadata":{"name":"v","namespace":"ns")" + rest + "}");
    EXPECT_EQ(Admit(*plugin, ingress.request), "");
    return ingress.object.spec.ingressClassName.value_or("-");
  };
  EXPECT_EQ(admitted("}"), "-");
  Put<IngressClass>(R"({"metadata":{"name":"a","creationTimestamp":"2026-01-01T00:00:00Z",
    "annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}}})");
  Put<IngressClass>(R"({"metadata":{"name":"b","creationTimestamp":"2026-01-02T00:00:00Z",
    "annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}}})");
  Put<IngressClass>(R"({"metadata":{"name":"c","creationTimestamp":"2026-01-03T00:00:00Z",
    "annotations":{"ingressclass.kubernetes.io/is-default-class":"yes"}}})");
  EXPECT_EQ(admitted("}"), "b");
  EXPECT_EQ(admitted(R"(},"spec":{"ingressClassName":"own"})"), "own");
  EXPECT_EQ(admitted(R"(,"annotations":{"kubernetes.io/ingress.class":"x"}})"), "-");
}

TEST_F(ClusterPluginsTest, VolumesAndClaimsAreProtectedOnce) {
  auto plugin = NewStorageObjectInUseProtection(dependencies_);
  Writing<PersistentVolume> volume(R"({"metadata":{"name":"v"}})");
  Writing<PersistentVolumeClaim> claim(
      R"({"metadata":{"name":"v","namespace":"ns","finalizers":["x"]}})");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Admit(*plugin, volume.request), "");
    EXPECT_EQ(Admit(*plugin, claim.request), "");
  }
  using Names = reflect::List<std::string>;
  EXPECT_EQ(volume.object.metadata.finalizers, Names({"kubernetes.io/pv-protection"}));
  EXPECT_EQ(claim.object.metadata.finalizers, Names({"x", "kubernetes.io/pvc-protection"}));
}

TEST_F(ClusterPluginsTest, ClaimsGrowWhereTheirClassAllowsIt) {
  Put<StorageClass>(
      R"({"metadata":{"name":"grows"},"provisioner":"x","allowVolumeExpansion":true})");
  Put<StorageClass>(R"({"metadata":{"name":"stays"},"provisioner":"x"})");
  auto plugin = NewPersistentVolumeClaimResize(dependencies_);
  const auto claim = [](const std::string& size, const std::string& name,
                        const std::string& phase) {
    return R"({"metadata":{"name":"v","namespace":"ns"},"spec":{"storageClassName":")" + name +
           R"(","resources":{"requests":{"storage":")" + size + R"("}}},"status":{"phase":")" +
           phase + R"("}})";
  };
  const auto resize = [&](const std::string& name, const std::string& phase,
                          const std::string& size) {
    Writing<PersistentVolumeClaim> write(claim("1Gi", name, phase), claim(size, name, phase), "");
    return Validate(*plugin, write.request);
  };
  const std::string forbidden = R"(persistentvolumeclaims "v" is forbidden: )";
  const std::string only =
      "only dynamically provisioned pvc can be resized and the storageclass that provisions the "
      "pvc must support resize";
  EXPECT_EQ(resize("grows", "Bound", "2Gi"), "");
  EXPECT_EQ(resize("stays", "Pending", "1Gi"), "");
  EXPECT_EQ(resize("grows", "Pending", "2Gi"),
            forbidden + "Only bound persistent volume claims can be expanded");
  EXPECT_EQ(resize("stays", "Bound", "2Gi"), forbidden + only);
  EXPECT_EQ(resize("", "Bound", "2Gi"), forbidden + only);
  EXPECT_EQ(resize("gone", "Bound", "2Gi"), forbidden + only);
}

TEST_F(ClusterPluginsTest, NewNodesAreNotReady) {
  auto plugin = NewTaintNodesByCondition(dependencies_);
  Writing<Node> node(R"({"metadata":{"name":"n"},"spec":{"taints":[
    {"key":"node.kubernetes.io/not-ready","effect":"NoExecute"}]}})");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Admit(*plugin, node.request), "");
  EXPECT_EQ(Text(node.object.spec),
            R"({"taints":[{"key":"node.kubernetes.io/not-ready","effect":"NoExecute"},)"
            R"({"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}]})");
}

TEST_F(ClusterPluginsTest, SignersAreApprovedAndSignedByWhoMay) {
  auto approval = NewCertificateApproval(dependencies_);
  auto signing = NewCertificateSigning(dependencies_);
  const auto request = [](const std::string& signer, const std::string& status) {
    return R"({"metadata":{"name":"c"},"spec":{"signerName":")" + signer + R"("},"status":{)" +
           status + "}}";
  };
  const auto approve = [&](const std::string& signer) {
    // The signer of the old object counts.
    Writing<CertificateSigningRequest> write(request(signer, ""), request("x/mine", ""),
                                             "approval");
    return Validate(*approval, write.request);
  };
  const auto sign = [&](const std::string& before, const std::string& after) {
    Writing<CertificateSigningRequest> write(request("a/b", before), request("a/b", after),
                                             "status");
    return Validate(*signing, write.request);
  };
  const std::string forbidden =
      R"(certificatesigningrequests.certificates.k8s.io "c" is forbidden: )";
  authorizer_.allowed = {"approve certificates.k8s.io/signers x/mine"};
  EXPECT_EQ(approve("a/b"),
            forbidden + R"(user not permitted to approve requests with signerName "a/b")");
  authorizer_.allowed = {"approve certificates.k8s.io/signers a/b"};
  EXPECT_EQ(approve("a/b"), "");
  authorizer_.allowed = {"approve certificates.k8s.io/signers a/*"};
  EXPECT_EQ(approve("a/b"), "");

  EXPECT_EQ(sign("", ""), "");
  const std::string no = forbidden + R"(user not permitted to sign requests with signerName "a/b")";
  EXPECT_EQ(sign("", R"("certificate":"YQ==")"), no);
  EXPECT_EQ(sign("", R"("conditions":[{"type":"Failed","status":"True"}])"), no);
  authorizer_.allowed = {"sign certificates.k8s.io/signers a/*"};
  EXPECT_EQ(sign("", R"("certificate":"YQ==")"), "");
}

TEST_F(ClusterPluginsTest, NobodyAsksForTheMastersGroup) {
  auto plugin = NewCertificateSubjectRestriction(dependencies_);
  const auto create = [&](const std::string& signer, std::string pem) {
    Writing<CertificateSigningRequest> write(R"({"metadata":{"name":"c"},"spec":{"signerName":")" +
                                             signer + R"("}})");
    write.object.spec.request.data = std::move(pem);
    return Validate(*plugin, write.request);
  };
  const std::string client = "kubernetes.io/kube-apiserver-client";
  const std::string forbidden =
      R"(certificatesigningrequests.certificates.k8s.io "c" is forbidden: )";
  const std::string masters = MakeRequest("root", {"users", "system:masters"});
  EXPECT_EQ(create(client, masters),
            forbidden +
                "use of kubernetes.io/kube-apiserver-client signer with system:masters "
                "group is not allowed");
  EXPECT_EQ(create(client, MakeRequest("system:masters", {"users"})), "");
  EXPECT_EQ(create("example.com/own", masters), "");
  EXPECT_EQ(create(client, "nonsense"),
            forbidden + "failed to parse CSR: PEM block type must be CERTIFICATE REQUEST");
}

// Says what it did, and fails when told so.
class Recorder final : public AdmissionPlugin {
 public:
  Recorder(std::string name, std::vector<std::string>* calls)
      : name_(std::move(name)), calls_(*calls) {}
  std::string_view name() const override { return name_; }
  bool Handles(Operation operation) const override { return operation == Operation::kCreate; }
  Result<void> Admit(AdmissionRequest& request) override {
    calls_.push_back("admit " + name_);
    if (webhook && !request.reinvocation->again()) request.reinvocation->Changed();
    if (fails) return request.Forbid(name_);
    return {};
  }
  Result<void> Validate(const AdmissionRequest&) override {
    calls_.push_back("validate " + name_);
    return {};
  }
  bool fails = false;
  bool webhook = false;

 private:
  const std::string name_;
  std::vector<std::string>& calls_;
};

TEST_F(ClusterPluginsTest, ExternalIPsAreRefused) {
  auto plugin = NewDenyServiceExternalIPs(dependencies_);
  const auto service = [](const std::string& addresses) {
    return R"({"metadata":{"name":"s","namespace":"ns"},"spec":{"externalIPs":[)" + addresses +
           "]}}";
  };
  const std::string refused =
      R"(services "s" is forbidden: Use of external IPs is denied by admission control)";
  EXPECT_EQ(Validate(*plugin, Writing<Service>(service("")).request), "");
  EXPECT_EQ(Validate(*plugin, Writing<Service>(service(R"("192.0.2.1")")).request), refused);
  const std::string two = service(R"("192.0.2.1","192.0.2.2")");
  const auto changed = [&](const std::string& addresses, const std::string& subresource = "") {
    return Validate(*plugin, Writing<Service>(two, service(addresses), subresource).request);
  };
  EXPECT_EQ(changed(R"("192.0.2.2","192.0.2.1")"), "");
  EXPECT_EQ(changed(R"("192.0.2.2")"), "");
  EXPECT_EQ(changed(""), "");
  EXPECT_EQ(changed(R"("192.0.2.1","192.0.2.3")"), refused);
  EXPECT_EQ(changed(R"("192.0.2.3")", "status"), "");
}

TEST_F(ClusterPluginsTest, PluginsAreChosenByName) {
  const auto names = [&](const PluginChoice& choice) {
    std::vector<std::string> names;
    for (const auto& plugin : AllPlugins(dependencies_, choice)) names.emplace_back(plugin->name());
    return names;
  };
  const auto all = names({});
  EXPECT_TRUE(CheckPlugins({.enabled = all}).ok());
  EXPECT_EQ(names({.enabled = all}), all);
  for (const std::string& left_out : all) {
    auto others = all;
    std::erase(others, left_out);
    ASSERT_TRUE(CheckPlugins({.disabled = {left_out}}).ok());
    EXPECT_EQ(names({.disabled = {left_out}}), others);
  }
  EXPECT_TRUE(CheckPlugins({.disabled = {"AlwaysAdmit", "EventRateLimit"}}).ok());
  EXPECT_EQ(CheckPlugins({.enabled = {"PodSecurity", "EventRateLimit"}}).error().message(),
            "enable-admission-plugins plugin \"EventRateLimit\" is one of Kubernetes that podium "
            "does not have");
  EXPECT_EQ(CheckPlugins({.enabled = {"a", "Priority", "LimitRanger"},
                          .disabled = {"b", "Priority", "LimitRanger"}})
                .error()
                .message(),
            "enable-admission-plugins plugin \"a\" is unknown; disable-admission-plugins plugin "
            "\"b\" is unknown; [LimitRanger Priority] in enable-admission-plugins and "
            "disable-admission-plugins overlapped");
}

TEST_F(ClusterPluginsTest, TheChainCallsAllInOrderUntilOneRefuses) {
  std::vector<std::string> calls;
  AdmissionPlugins plugins;
  auto first = std::make_unique<Recorder>("a", &calls);
  auto second = std::make_unique<Recorder>("b", &calls);
  Recorder* const a = first.get();
  Recorder* const b = second.get();
  plugins.push_back(std::move(first));
  plugins.push_back(std::move(second));
  const AdmissionChain chain(std::move(plugins));
  Writing<ConfigMap> write{std::string(kMap)};
  EXPECT_TRUE(chain.Admit(write.request).ok());
  EXPECT_TRUE(chain.Validate(write.request).ok());
  EXPECT_EQ(calls, (std::vector<std::string>{"admit a", "admit b", "validate a", "validate b"}));
  calls.clear();
  // A webhook changed something: all again, once.
  b->webhook = true;
  EXPECT_TRUE(chain.Admit(write.request).ok());
  EXPECT_EQ(calls, (std::vector<std::string>{"admit a", "admit b", "admit a", "admit b"}));
  calls.clear();
  a->fails = true;
  EXPECT_EQ(chain.Admit(write.request).error().message(), R"(configmaps "m" is forbidden: a)");
  EXPECT_EQ(calls, (std::vector<std::string>{"admit a"}));
  calls.clear();
  write.BecomeDeletion();
  EXPECT_TRUE(chain.Admit(write.request).ok());
  EXPECT_TRUE(calls.empty());
}

}  // namespace
}  // namespace podium::apiserver
