#include "api/validation/service.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using core::v1::Service;

constexpr char kService[] = R"({
  "metadata": {"name": "s", "namespace": "n"},
  "spec": {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ipFamilies": ["IPv4"],
           "ipFamilyPolicy": "SingleStack", "selector": {"a": "b"}, "ports": [{"port": 80}]}})";

const std::string kBalancer = "spec.type=\"LoadBalancer\"";  // NOLINT: a constant of tests
const std::string kNoIPs = "spec.clusterIP";                 // NOLINT: likewise

TEST(Service, Ports) {
  ExpectCreate<Service>(
      kService,
      {{{}, {}},
       {{R"(spec.ports=[{"name":"a","port":80},{"name":"b","port":80,"protocol":"UDP"}])"}, {}},
       {{R"(spec.ports[0].targetPort="http")", R"(spec.ports[0].appProtocol="k8s.io/h2c")"}, {}},
       {{"spec.ports"}, {"spec.ports: Required value"}},
       {{"spec.ports", "spec.clusterIP=\"None\"", "spec.clusterIPs=[\"None\"]"}, {}},
       {{R"(spec.ports=[{"port":80},{"name":"A","port":81},{"name":"A","port":82}])"},
        {"spec.ports[0].name: Required value",
         "spec.ports[1].name: Invalid value: \"A\": " + kBadLabel,
         "spec.ports[2].name: Invalid value: \"A\": " + kBadLabel,
         "spec.ports[2].name: Duplicate value: \"A\""}},
       {{R"(spec.ports=[{"port":0,"protocol":"X","targetPort":70000,"appProtocol":"-"}])"},
        {"spec.ports[0].port: Invalid value: 0: " + kBadPort,
         "spec.ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", "
         "\"UDP\"",
         "spec.ports[0].targetPort: Invalid value: 70000: " + kBadPort,
         "spec.ports[0].appProtocol: Invalid value: \"-\": " + kBadQualified}},
       {{R"(spec.ports=[{"name":"a","port":80,"nodePort":30000},{"name":"b","port":80,"nodePort":30000}])"},
        {"spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
         "spec.ports[1].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
         "spec.ports[1].nodePort: Duplicate value: 30000",
         "spec.ports[1]: Duplicate value: "
         "{\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,\"TargetPort\":0,"
         "\"NodePort\":0}"}},
       {{"spec.type=\"NodePort\"", "spec.ports[0].nodePort=30000"}, {}}});
}

TEST(Service, Types) {
  ExpectCreate<Service>(
      kService,
      {{{"spec.type=\"X\""},
        {"spec.type: Unsupported value: \"X\": supported values: \"ClusterIP\", \"ExternalName\", "
         "\"LoadBalancer\", \"NodePort\""}},
       {{"spec.type=\"NodePort\"", "spec.clusterIP=\"None\"", "spec.clusterIPs=[\"None\"]"},
        {"spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort "
         "services"}},
       {{kBalancer, "spec.clusterIP=\"None\"", "spec.clusterIPs=[\"None\"]"},
        {"spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer "
         "services"}},
       {{"spec.type=\"ExternalName\""},
        {"spec.clusterIPs: Forbidden: may not be set for ExternalName services",
         "spec.ipFamilies: Forbidden: may not be set for ExternalName services",
         "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services",
         "spec.externalName: Required value"}},
       {{R"(spec={"type":"ExternalName","externalName":"db.example.com."})"}, {}},
       {{R"(spec={"type":"ExternalName","externalName":"D"})"},
        {"spec.externalName: Invalid value: \"D\": " + kBadSubdomain}},
       {{"metadata.annotations['service.kubernetes.io/topology-mode']=\"Auto\"",
         "metadata.annotations['service.kubernetes.io/topology-aware-hints']=\"Auto\""},
        {}},
       {{"metadata.annotations['service.kubernetes.io/topology-mode']=\"Auto\"",
         "metadata.annotations['service.kubernetes.io/topology-aware-hints']=\"\""},
        {"metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: \"Auto\": must "
         "match annotations[service.kubernetes.io/topology-aware-hints] when both are specified"}},
       {{"metadata.name=\"S\"", "spec.selector.a=\"-\""},
        {"metadata.name: Invalid value: \"S\": " + kBadLabel,
         "spec.selector: Invalid value: \"-\": " + kBadLabelValue}}});
}

TEST(Service, Affinity) {
  const std::string seconds = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
  ExpectCreate<Service>(
      kService, {{{"spec.sessionAffinity=\"ClientIP\"", seconds + "=86400"}, {}},
                 {{"spec.sessionAffinity=\"X\""},
                  {"spec.sessionAffinity: Unsupported value: \"X\": supported values: "
                   "\"ClientIP\", \"None\""}},
                 {{"spec.sessionAffinity=\"ClientIP\"", seconds + "=0"},
                  {seconds + ": Invalid value: 0: must be greater than 0 and less than 86400"}},
                 {{"spec.sessionAffinity=\"ClientIP\"", seconds + "=86401"},
                  {seconds + ": Invalid value: 86401: must be greater than 0 and less than "
                             "86400"}}});
  auto service = Load<Service>(kService);
  service.spec.sessionAffinityConfig.emplace();
  EXPECT_THAT(Texts(ValidateService(service)),
              ::testing::ElementsAre("spec.sessionAffinityConfig: Forbidden: must not be set when "
                                     "session affinity is None"));
  service.spec.sessionAffinity = "ClientIP";
  EXPECT_THAT(Texts(ValidateService(service)),
              ::testing::ElementsAre("spec.sessionAffinityConfig.clientIP: Required value: when "
                                     "session affinity type is ClientIP"));
  service.spec.sessionAffinityConfig->clientIP.emplace();
  EXPECT_THAT(
      Texts(ValidateService(service)),
      ::testing::ElementsAre(seconds + ": Required value: when session affinity type is ClientIP"));
  service.spec.sessionAffinityConfig.reset();
  EXPECT_THAT(Texts(ValidateService(service)),
              ::testing::ElementsAre("spec.sessionAffinityConfig: Required value: when session "
                                     "affinity type is ClientIP"));
  service.spec.sessionAffinity = "";
  service.spec.type = "";
  service.spec.internalTrafficPolicy.reset();
  EXPECT_THAT(
      Texts(ValidateService(service)),
      ::testing::ElementsAre("spec.sessionAffinity: Required value", "spec.type: Required value"));
}

TEST(Service, ClusterIPs) {
  const std::string dual = R"(spec.clusterIPs=["10.0.0.1","2001:db8::1"])";
  ExpectCreate<Service>(
      kService,
      {{{dual, R"(spec.ipFamilies=["IPv4","IPv6"])", "spec.ipFamilyPolicy=\"RequireDualStack\""},
        {}},
       {{"spec.clusterIPs"}, {}},
       {{"spec.clusterIP=\"10.0.0.2\""},
        {"spec.clusterIPs: Invalid value: [\"10.0.0.1\"]: first value must match `clusterIP`"}},
       {{kNoIPs},
        {"spec.clusterIPs: Invalid value: [\"10.0.0.1\"]: must be empty when `clusterIP` is not "
         "specified"}},
       {{R"(spec.ipFamilies=["IPv4","X","X"])", "spec.ipFamilyPolicy=\"Y\""},
        {"spec.ipFamilies[1]: Unsupported value: \"X\": supported values: \"IPv4\", \"IPv6\"",
         "spec.ipFamilies[2]: Unsupported value: \"X\": supported values: \"IPv4\", \"IPv6\"",
         "spec.ipFamilies[2]: Duplicate value: \"X\"",
         "spec.ipFamilyPolicy: Unsupported value: \"Y\": supported values: \"PreferDualStack\", "
         "\"RequireDualStack\", \"SingleStack\""}},
       {{"spec.clusterIP=\"None\"", R"(spec.clusterIPs=["None","x"])"},
        {"spec.clusterIPs: Invalid value: [\"None\",\"x\"]: 'None' must be the first and only "
         "value",
         "spec.clusterIPs[1]: Invalid value: \"x\": " + kBadIP}},
       {{R"(spec.clusterIPs=["10.0.0.1","10.0.0.2","10.0.0.3"])"},
        {"spec.clusterIPs: Invalid value: [\"10.0.0.1\",\"10.0.0.2\",\"10.0.0.3\"]: may only hold "
         "up to 2 values",
         "spec.clusterIPs: Invalid value: [\"10.0.0.1\",\"10.0.0.2\",\"10.0.0.3\"]: may specify no "
         "more than one IP for each IP family"}},
       {{dual, R"(spec.ipFamilies=["IPv6","IPv4"])"},
        {"spec.clusterIPs[0]: Invalid value: \"10.0.0.1\": expected an IPv6 value as indicated by "
         "`ipFamilies[0]`",
         "spec.clusterIPs[1]: Invalid value: \"2001:db8::1\": expected an IPv4 value as indicated "
         "by `ipFamilies[1]`"}},
       {{R"(spec.externalIPs=["1.2.3.4"])"}, {}},
       {{R"(spec.externalIPs=["x","127.0.0.1","0.0.0.0","169.254.1.1","224.0.0.1","::1","fe80::1","ff02::1"])"},
        {"spec.externalIPs[0]: Invalid value: \"x\": " + kBadIP,
         ("spec.externalIPs[1]: Invalid value: \"127.0.0.1\": may not be in the loopback range "
          "(127.0.0.0/8, ::1/128)"),
         "spec.externalIPs[2]: Invalid value: \"0.0.0.0\": may not be unspecified (0.0.0.0)",
         "spec.externalIPs[3]: Invalid value: \"169.254.1.1\": may not be in the link-local range "
         "(169.254.0.0/16, fe80::/10)",
         "spec.externalIPs[4]: Invalid value: \"224.0.0.1\": may not be in the link-local "
         "multicast range (224.0.0.0/24, ff02::/10)",
         "spec.externalIPs[5]: Invalid value: \"::1\": may not be in the loopback range "
         "(127.0.0.0/8, ::1/128)",
         "spec.externalIPs[6]: Invalid value: \"fe80::1\": may not be in the link-local range "
         "(169.254.0.0/16, fe80::/10)",
         "spec.externalIPs[7]: Invalid value: \"ff02::1\": may not be in the link-local multicast "
         "range (224.0.0.0/24, ff02::/10)"}}});
}

TEST(Service, LoadBalancer) {
  const std::string annotation =
      "metadata.annotations['service.beta.kubernetes.io/load-balancer-source-ranges']";
  const std::string shown =
      "metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]";
  const std::string only = ": Forbidden: may only be used when `type` is 'LoadBalancer'";
  ExpectCreate<Service>(
      kService, {{{kBalancer, R"(spec.loadBalancerSourceRanges=[" 10.0.0.0/8 "])",
                   "spec.loadBalancerClass=\"example.com/lb\""},
                  {}},
                 {{R"(spec.loadBalancerSourceRanges=["x"])",
                   "spec.allocateLoadBalancerNodePorts=false", "spec.loadBalancerClass=\"a\""},
                  {"spec.LoadBalancerSourceRanges" + only,
                   "spec.LoadBalancerSourceRanges[0]: Invalid value: \"x\": " + kBadCIDR,
                   "spec.allocateLoadBalancerNodePorts" + only, "spec.loadBalancerClass" + only}},
                 {{kBalancer, "spec.loadBalancerClass=\"-\""},
                  {"spec.loadBalancerClass: Invalid value: \"-\": " + kBadQualified}},
                 {{kBalancer, annotation + "=\" 10.0.0.0/8, 10.1.0.0/16 \""}, {}},
                 {{kBalancer, annotation + R"(="\u00a010.0.0.0/8\u2028,\u300010.1.0.0/16")"}, {}},
                 {{kBalancer, annotation + "=\"\""}, {}},
                 {{annotation + "=\"10.0.0.0/8,x\""},
                  {shown + only, shown + ": Invalid value: \"x\": " + kBadCIDR}}});
  auto service = Load<Service>(Edited(kService, {kBalancer}));
  service.spec.allocateLoadBalancerNodePorts.reset();
  EXPECT_THAT(Texts(ValidateService(service)),
              ::testing::ElementsAre("allocateLoadBalancerNodePorts: Required value"));
}

TEST(Service, TrafficPolicies) {
  const std::string local = "spec.externalTrafficPolicy=\"Local\"";
  ExpectCreate<Service>(
      kService,
      {{{kBalancer, local, "spec.healthCheckNodePort=30001"}, {}},
       {{"spec.trafficDistribution=\"PreferSameNode\"", "spec.internalTrafficPolicy=\"Local\""},
        {}},
       {{local, "spec.healthCheckNodePort=1"},
        {"spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for "
         "externally-accessible services",
         "spec.healthCheckNodePort: Invalid value: 1: may only be set when `type` is "
         "'LoadBalancer' and `externalTrafficPolicy` is 'Local'"}},
       {{"spec.type=\"NodePort\"", "spec.externalTrafficPolicy=\"X\"",
         "spec.internalTrafficPolicy=\"Y\"", "spec.trafficDistribution=\"Z\""},
        {"spec.externalTrafficPolicy: Unsupported value: \"X\": supported values: \"Cluster\", "
         "\"Local\"",
         "spec.internalTrafficPolicy: Unsupported value: \"Y\": supported values: \"Cluster\", "
         "\"Local\"",
         "spec.trafficDistribution: Unsupported value: \"Z\": supported values: \"PreferClose\", "
         "\"PreferSameZone\", \"PreferSameNode\""}},
       {{kBalancer, local}, {"spec.healthCheckNodePort: Required value"}},
       {{kBalancer, local, "spec.healthCheckNodePort=70000"},
        {"spec.healthCheckNodePort: Invalid value: 70000: " + kBadPort}}});
  auto service = Load<Service>(Edited(kService, {"spec.type=\"NodePort\""}));
  service.spec.externalTrafficPolicy.clear();
  service.spec.internalTrafficPolicy.reset();
  EXPECT_THAT(Texts(ValidateService(service)),
              ::testing::ElementsAre("spec.externalTrafficPolicy: Required value",
                                     "spec.internalTrafficPolicy: Required value"));
}

TEST(Service, Update) {
  const std::string single = "must be set to 'SingleStack' when releasing the secondary ";
  ExpectUpdate<Service>(
      kService,
      {{{"spec.ports[0].port=81", "spec.type=\"NodePort\""}, {}},
       {{R"(metadata.labels={"a":"-"})"},
        {"metadata.labels: Invalid value: \"-\": " + kBadLabelValue}},
       {{R"(spec.clusterIPs=["10.0.0.1","2001:db8::1"])", R"(spec.ipFamilies=["IPv4","IPv6"])",
         "spec.ipFamilyPolicy=\"PreferDualStack\""},
        {}},
       {{R"(spec={"type":"ExternalName","externalName":"a.b"})"}, {}},
       {{"spec.clusterIP=\"10.0.0.2\"", R"(spec.clusterIPs=["10.0.0.2"])"},
        {"spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set"}},
       {{"spec.clusterIP", "spec.clusterIPs", "spec.ipFamilies"},
        {"spec.clusterIPs[0]: Invalid value: null: primary clusterIP can not be unset",
         "spec.ipFamilies[0]: Invalid value: null: primary ipFamily can not be unset"}},
       {{"spec.clusterIP=\"2001:db8::1\"", R"(spec.clusterIPs=["2001:db8::1","10.0.0.1"])",
         R"(spec.ipFamilies=["IPv6","IPv4"])"},
        {"spec.clusterIPs[0]: Invalid value: [\"2001:db8::1\",\"10.0.0.1\"]: may not change once "
         "set",
         "spec.ipFamilies[0]: Invalid value: [\"2001:db8::1\",\"10.0.0.1\"]: may not change once "
         "set"}},
       {{R"(spec.ipFamilies=["IPv6"])"},
        {"spec.ipFamilies[0]: Invalid value: [\"IPv6\"]: may not change once set",
         "spec.clusterIPs[0]: Invalid value: \"10.0.0.1\": expected an IPv6 value as indicated by "
         "`ipFamilies[0]`"}}});
  const std::string dual = Edited(
      kService, {R"(spec.clusterIPs=["10.0.0.1","2001:db8::1"])",
                 R"(spec.ipFamilies=["IPv4","IPv6"])", "spec.ipFamilyPolicy=\"PreferDualStack\""});
  ExpectUpdate<Service>(
      dual,
      {{{R"(spec.clusterIPs=["10.0.0.1"])", R"(spec.ipFamilies=["IPv4"])",
         "spec.ipFamilyPolicy=\"SingleStack\""},
        {}},
       {{R"(spec.clusterIPs=["10.0.0.1"])", R"(spec.ipFamilies=["IPv4"])", "spec.ipFamilyPolicy"},
        {"spec.ipFamilyPolicy: Invalid value: null: " + single + "clusterIP",
         "spec.ipFamilyPolicy: Invalid value: null: " + single + "ipFamily"}}});
  const std::string balancer =
      Edited(kService, {kBalancer, "spec.externalTrafficPolicy=\"Local\"",
                        "spec.healthCheckNodePort=30001", "spec.loadBalancerClass=\"a/b\""});
  ExpectUpdate<Service>(balancer,
                        {{{"spec.healthCheckNodePort=30002", "spec.loadBalancerClass"},
                          {"spec.loadBalancerClass: Invalid value: null: may not change once set",
                           "spec.healthCheckNodePort: Forbidden: field is immutable"}},
                         {{"spec.type=\"ClusterIP\"", "spec.externalTrafficPolicy=\"\"",
                           "spec.healthCheckNodePort=0", "spec.loadBalancerClass"},
                          {}}});
}

// Values that are refused today stay where they were.
TEST(Service, OldAddresses) {
  const std::string old = Edited(kService, {R"(spec.externalIPs=["010.0.0.1"])", kBalancer,
                                            R"(spec.loadBalancerSourceRanges=["010.0.0.0/8 "])"});
  ExpectUpdate<Service>(old, {{{}, {}},
                              {{R"(spec.externalIPs[1]="012.0.0.1")"},
                               {"spec.externalIPs[1]: Invalid value: \"012.0.0.1\": must not have "
                                "leading 0s"}}});
}

TEST(Service, Status) {
  const std::string ingress = "status.loadBalancer.ingress";
  ExpectUpdate<Service>(
      Edited(kService, {kBalancer}),
      {{{ingress + R"(=[{"ip":"1.2.3.4"},{"hostname":"a.b"}])"}, {}},
       {{ingress +
         R"(=[{"ip":"x","ipMode":"Y"},{"ipMode":"VIP","hostname":"1.2.3.4"},{"hostname":"A"}])"},
        {ingress + "[0].ip: Invalid value: \"x\": " + kBadIP,
         ingress + "[0].ipMode: Unsupported value: \"Y\": supported values: \"Proxy\", \"VIP\"",
         ingress + "[1].ipMode: Forbidden: may not be specified when `ip` is not set",
         ingress + "[1].hostname: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP "
                   "address",
         ingress + "[2].hostname: Invalid value: \"A\": " + kBadSubdomain}}},
      "status");
  ExpectUpdate<Service>(kService,
                        {{{ingress + R"(=[{"ip":"1.2.3.4"}])"},
                          {ingress + ": Forbidden: may only be used when `spec.type` is "
                                     "'LoadBalancer'"}}},
                        "status");
  auto service = Load<Service>(Edited(
      kService, {kBalancer, ingress + R"(=[{"ip":"1.2.3.4"}])", "metadata.resourceVersion=\"1\""}));
  service.status.loadBalancer.ingress[0].ipMode.reset();
  EXPECT_THAT(
      Texts(ValidateServiceStatusUpdate(service, service)),
      ::testing::ElementsAre(ingress + "[0].ipMode: Required value: must be specified when `ip` is "
                                       "set"));
}

// An old client knows spec.clusterIP alone.
TEST(Service, TheListOfClusterIPsFollowsTheField) {
  using IPs = reflect::List<std::string>;
  const auto normalized = [](const Service* old, const char* ip, const IPs& list) {
    Service service;
    service.spec.clusterIP = ip;
    service.spec.clusterIPs = list;
    NormalizeClusterIPs(old, &service);
    return service.spec.clusterIPs;
  };
  Service alone;
  alone.spec.clusterIP = "None";
  EXPECT_THAT(Texts(ValidateService(alone)),
              ::testing::Contains("spec.clusterIPs: Required value"));
  EXPECT_EQ(normalized(nullptr, "None", {}), IPs{"None"});
  EXPECT_EQ(normalized(nullptr, "", {}), IPs());
  EXPECT_EQ(normalized(nullptr, "a", {"b"}), IPs{"b"});
  Service old;
  old.spec.clusterIP = "a";
  old.spec.clusterIPs = {"a", "b"};
  EXPECT_EQ(normalized(&old, "a", {}), (IPs{"a", "b"}));
  EXPECT_EQ(normalized(&old, "a", {"c"}), IPs{"c"});
  EXPECT_EQ(normalized(&old, "", {"a", "b"}), IPs());
  EXPECT_EQ(normalized(&old, "c", {"a", "b"}), IPs{"c"});
  EXPECT_EQ(normalized(&old, "c", {"d"}), IPs{"d"});
  EXPECT_EQ(normalized(&old, "c", {}), IPs());
}

}  // namespace
}  // namespace podium::api
