#include "api/validation/networking.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using networking::v1::Ingress;
using networking::v1::IngressClass;
using networking::v1::NetworkPolicy;
using networking::v1::ServiceCIDR;
using AddressObject = networking::v1::IPAddress;

constexpr char kIngress[] = R"({
  "metadata": {"name": "i", "namespace": "n"},
  "spec": {"rules": [{"host": "a.b", "http": {"paths": [{"path": "/", "pathType": "Prefix",
    "backend": {"service": {"name": "s", "port": {"number": 80}}}}]}}]}})";
const std::string kPath = "spec.rules[0].http.paths[0]";  // NOLINT: a constant of tests

TEST(Ingress, Paths) {
  ExpectCreate<Ingress>(
      kIngress,
      {{{}, {}},
       {{kPath + ".pathType=\"ImplementationSpecific\"", kPath + ".path=\"\""}, {}},
       {{kPath + ".pathType"}, {kPath + ".pathType: Required value: pathType must be specified"}},
       {{kPath + ".pathType=\"X\"", kPath + ".path=\"x\""},
        {kPath + ".pathType: Unsupported value: \"X\": supported values: \"Exact\", "
                 "\"ImplementationSpecific\", \"Prefix\""}},
       {{kPath + ".path=\"a//b/./c/../d%2f%2F/..\""},
        {kPath + ".path: Invalid value: \"a//b/./c/../d%2f%2F/..\": must be an absolute path",
         kPath + ".path: Invalid value: \"a//b/./c/../d%2f%2F/..\": must not contain '//'",
         kPath + ".path: Invalid value: \"a//b/./c/../d%2f%2F/..\": must not contain '/./'",
         kPath + ".path: Invalid value: \"a//b/./c/../d%2f%2F/..\": must not contain '/../'",
         kPath + ".path: Invalid value: \"a//b/./c/../d%2f%2F/..\": must not contain '%2f'",
         kPath + ".path: Invalid value: \"a//b/./c/../d%2f%2F/..\": must not contain '%2F'",
         kPath + ".path: Invalid value: \"a//b/./c/../d%2f%2F/..\": cannot end with '/..'"}},
       {{kPath + ".path=\"/a/.\""},
        {kPath + ".path: Invalid value: \"/a/.\": cannot end with '/.'"}},
       {{"spec.rules[0].http.paths=[]"}, {"spec.rules[0].http.paths: Required value"}}});
}

TEST(Ingress, Backends) {
  const std::string backend = kPath + ".backend";
  ExpectCreate<Ingress>(
      kIngress,
      {{{backend + R"(={"resource":{"apiGroup":"a.b","kind":"K","name":"n"}})"}, {}},
       {{backend + ".service.port={\"name\":\"http\"}"}, {}},
       {{backend + "={}"},
        {backend + ": Invalid value: \"\": resource or service backend is required"}},
       {{backend + ".resource={}"},
        {backend + ": Invalid value: \"\": cannot set both resource and service backends"}},
       {{backend + R"(={"resource":{"apiGroup":"A","kind":"","name":"a/b"}})"},
        {backend + ".resource.apiGroup: Invalid value: \"A\": " + kBadSubdomain,
         backend + ".resource.kind: Required value",
         backend + ".resource.name: Invalid value: \"a/b\": may not contain '/'"}},
       {{backend + ".service={\"name\":\"\"}"},
        {backend + ".service.name: Required value",
         backend + ": Required value: port name or number is required"}},
       {{backend + R"(.service={"name":"S","port":{"number":70000}})"},
        {backend + ".service.name: Invalid value: \"S\": " + kBadLabel,
         backend + ".service.port.number: Invalid value: 70000: " + kBadPort}},
       {{backend + ".service.port.name=\"a\""},
        {backend + ": Invalid value: \"\": cannot set both port name & port number"}},
       {{backend + R"(.service.port={"name":"1"})"},
        {backend + ".service.port.name: Invalid value: \"1\": must contain at least one letter "
                   "(a-z)"}},
       {{"spec.rules"},
        {"spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"}},
       {{"spec.rules", "spec.defaultBackend={}"},
        {"spec.defaultBackend: Invalid value: \"\": resource or service backend is required"}}});
}

TEST(Ingress, HostsAndClass) {
  const std::string annotation = "metadata.annotations['kubernetes.io/ingress.class']=\"c\"";
  const std::string wildcard =
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
      "which "
      "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
      "character (e.g. '*.example.com', regex used for validation is "
      "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  ExpectCreate<Ingress>(
      kIngress,
      {{{"spec.rules[0].host=\"*.a.b\"", R"(spec.tls=[{"hosts":["*.a.b"],"secretName":"s"}])",
         "spec.ingressClassName=\"c\"", annotation},
        {}},
       {{"spec.rules[0].host=\"1.2.3.4\""},
        {"spec.rules[0].host: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address"}},
       {{"spec.rules[0].host=\"a*\"", R"(spec.tls=[{"hosts":["A","a*"],"secretName":"S"}])",
         "spec.ingressClassName=\"D\"", annotation},
        {"spec.rules[0].host: Invalid value: \"a*\": " + wildcard,
         "spec.tls[0].hosts[0]: Invalid value: \"A\": " + kBadSubdomain,
         "spec.tls[0].hosts[1]: Invalid value: \"a*\": " + wildcard,
         "spec.tls[0].secretName: Invalid value: \"S\": " + kBadSubdomain,
         "spec.ingressClassName: Invalid value: \"D\": " + kBadSubdomain,
         ("annotations.kubernetes.io/ingress.class: Invalid value: \"c\": must match "
          "`ingressClassName` when both are specified")}}});
  const std::string old = Edited(kIngress, {R"(spec.tls=[{"secretName":"S"}])",
                                            "spec.rules[0].host=\"*.a\"", kPath + ".path=\"x\""});
  ExpectUpdate<Ingress>(old, {{{"metadata.labels.a=\"b\""}, {}}});
  ExpectUpdate<Ingress>(kIngress,
                        {{{R"(spec.tls=[{"secretName":"S"}])", kPath + ".path=\"x\""},
                          {kPath + ".path: Invalid value: \"x\": must be an absolute path",
                           "spec.tls[0].secretName: Invalid value: \"S\": " + kBadSubdomain}}});
}

TEST(Ingress, Status) {
  const std::string list = "status.loadBalancer.ingress";
  ExpectUpdate<Ingress>(
      kIngress,
      {{{list + R"(=[{"ip":"1.2.3.4"},{"hostname":"a.b"}])"}, {}},
       {{list + R"(=[{"ip":"x"},{"hostname":"1.2.3.4"}])"},
        {list + "[0].ip: Invalid value: \"x\": " + kBadIP,
         list +
             "[1].hostname: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address"}}},
      "status");
  ExpectUpdate<Ingress>(Edited(kIngress, {list + R"(=[{"ip":"010.0.0.1"}])"}), {{{}, {}}},
                        "status");
}

TEST(IngressClass, All) {
  constexpr char kClass[] = R"({"metadata": {"name": "c"}, "spec": {"controller": "a.b/c"}})";
  const std::string parameters = "spec.parameters";
  ExpectCreate<IngressClass>(
      kClass,
      {{{parameters +
         R"(={"apiGroup":"a.b","kind":"K","name":"n","scope":"Namespace","namespace":"x"})"},
        {}},
       {{"spec.controller"}, {"spec.controller: Required value"}},
       {{"spec.controller=\"a.b/" + std::string(250, 'c') + "\""},
        {"spec.controller: Too long: may not be more than 250 bytes"}},
       {{"spec.controller=\"c\""},
        {"spec.controller: Invalid value: \"c\": must be a domain-prefixed path (such as "
         "\"acme.io/foo\")"}},
       {{parameters + R"(={"apiGroup":"A","kind":"a/b","name":"","scope":"X"})"},
        {parameters + ".apiGroup: Invalid value: \"A\": " + kBadSubdomain,
         parameters + ".kind: Invalid value: \"a/b\": may not contain '/'",
         parameters + ".name: Required value",
         parameters + ".scope: Unsupported value: \"X\": supported values: \"Cluster\", "
                      "\"Namespace\""}},
       {{parameters + R"(={"kind":"K","name":"n","scope":"Namespace"})"},
        {parameters + ".namespace: Required value: `parameters.scope` is set to 'Namespace'"}},
       {{parameters + R"(={"kind":"K","name":"n","scope":"Namespace","namespace":"N"})"},
        {parameters + ".namespace: Invalid value: \"N\": " + kBadLabel}},
       {{parameters + R"(={"kind":"K","name":"n","scope":"Cluster","namespace":"x"})"},
        {parameters + ".namespace: Forbidden: `parameters.scope` is set to 'Cluster'"}}});
  ExpectUpdate<IngressClass>(kClass,
                             {{{"metadata.labels.a=\"b\""}, {}},
                              {{"spec.controller=\"a.b/d\""},
                               {"spec.controller: Invalid value: \"a.b/d\": field is immutable"}}});
  auto object = Load<IngressClass>(Edited(kClass, {parameters + R"(={"kind":"K","name":"n"})"}));
  object.spec.parameters->scope.reset();
  EXPECT_THAT(Texts(ValidateIngressClass(object)),
              ::testing::ElementsAre(parameters + ".scope: Required value"));
}

constexpr char kPolicy[] = R"({
  "metadata": {"name": "p", "namespace": "n"},
  "spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}})";

TEST(NetworkPolicy, Ports) {
  const std::string port = "spec.ingress[0].ports[0]";
  ExpectCreate<NetworkPolicy>(
      kPolicy,
      {{{port + R"(={"protocol":"SCTP","port":80,"endPort":81})"}, {}},
       {{port + R"(={"port":"http"})"}, {}},
       {{port + R"(={"protocol":"X","port":0,"endPort":-1})"},
        {port + ".protocol: Unsupported value: \"X\": supported values: \"TCP\", \"UDP\", \"SCTP\"",
         port + ".port: Invalid value: 0: " + kBadPort,
         port + ".endPort: Invalid value: 0: must be greater than or equal to `port`",
         port + ".endPort: Invalid value: -1: " + kBadPort}},
       {{port + R"(={"port":"1","endPort":2})"},
        {port + ".endPort: Invalid value: 2: may not be specified when `port` is non-numeric",
         port + ".port: Invalid value: \"1\": must contain at least one letter (a-z)"}},
       {{"spec.egress[0].ports[0]={\"endPort\":2}"},
        {"spec.egress[0].ports[0].endPort: Invalid value: 2: may not be specified when `port` is "
         "not specified"}}});
}

TEST(NetworkPolicy, Peers) {
  const std::string peer = "spec.ingress[0].from[0]";
  const std::string block = peer + ".ipBlock";
  const std::string subset = ": must be a strict subset of `cidr`";
  ExpectCreate<NetworkPolicy>(
      kPolicy,
      {{{block + R"(.except=["10.1.0.0/16"])", R"(spec.policyTypes=["Ingress","Egress"])"}, {}},
       {{peer + R"(={"podSelector":{},"namespaceSelector":{}})"}, {}},
       {{peer + "={}"}, {peer + ": Required value: must specify a peer"}},
       {{peer + ".podSelector.matchLabels.a=\"-\"", "spec.podSelector.matchLabels.a=\"-\"",
         peer + ".namespaceSelector={}"},
        {"spec.podSelector.matchLabels: Invalid value: \"-\": " + kBadLabelValue,
         peer + ".podSelector.matchLabels: Invalid value: \"-\": " + kBadLabelValue,
         peer + ": Forbidden: may not specify both ipBlock and another peer"}},
       {{block + ".cidr=\"\""}, {block + ".cidr: Required value"}},
       {{block + ".cidr=\"x\""}, {block + ".cidr: Invalid value: \"x\": " + kBadCIDR}},
       {{block + R"(.except=["x","10.0.0.0/8","11.0.0.0/16","2001:db8::/64"])"},
        {block + ".except[0]: Invalid value: \"x\": " + kBadCIDR,
         block + ".except[1]: Invalid value: \"10.0.0.0/8\"" + subset,
         block + ".except[2]: Invalid value: \"11.0.0.0/16\"" + subset,
         block + ".except[3]: Invalid value: \"2001:db8::/64\"" + subset}},
       {{R"(spec.policyTypes=["X"])", "spec.egress[0].to[0]={}"},
        {"spec.egress[0].to[0]: Required value: must specify a peer",
         "spec.policyTypes[0]: Unsupported value: \"X\": supported values: \"Ingress\", "
         "\"Egress\""}},
       {{R"(spec.policyTypes=["Ingress","Egress","X"])"},
        {"spec.policyTypes: Invalid value: [\"Ingress\",\"Egress\",\"X\"]: may not specify more "
         "than two policyTypes"}}});
  ExpectUpdate<NetworkPolicy>(Edited(kPolicy, {block + ".cidr=\"010.0.0.0/8\""}),
                              {{{"spec.egress[0].to[0].ipBlock.cidr=\"010.0.0.0/8\""}, {}},
                               {{block + ".cidr=\"x\""},
                                {block + ".cidr: Invalid value: \"x\": " + kBadCIDR,
                                 block + ".cidr: Invalid value: \"x\": " + kBadCIDR}}});
}

// The policy itself is looked at before its change, and once more with it.
TEST(NetworkPolicy, Update) {
  const std::string types =
      "spec.policyTypes[0]: Unsupported value: \"X\": supported values: \"Ingress\", \"Egress\"";
  const std::string label = ": Invalid value: \"-\": " + kBadLabelValue;
  ExpectUpdate<NetworkPolicy>(
      kPolicy, {{{"metadata.labels.a=\"-\"", R"(spec.policyTypes=["X"])"},
                 {"metadata.labels" + label, types, "metadata.labels" + label, types}}});
}

TEST(ServiceRanges, IPAddress) {
  constexpr char kAddress[] = R"({"metadata": {"name": "10.0.0.1"},
    "spec": {"parentRef": {"resource": "services", "name": "s", "namespace": "n"}}})";
  const std::string parent = "spec.parentRef";
  ExpectCreate<AddressObject>(
      kAddress, {{{}, {}},
                 {{"metadata.name=\"010.0.0.1\"", parent},
                  {"metadata.name: Invalid value: \"010.0.0.1\": must not have leading 0s",
                   parent + ": Required value"}},
                 {{parent + R"(={"group":"G","namespace":"a/b"})"},
                  {parent + ".group: Invalid value: \"G\": " + kBadSubdomain,
                   parent + ".resource: Required value", parent + ".name: Required value",
                   parent + ".namespace: Invalid value: \"a/b\": may not contain '/'"}}});
  ExpectUpdate<AddressObject>(
      kAddress, {{{"metadata.labels.a=\"b\""}, {}},
                 {{parent + ".name=\"t\""},
                  {parent + ": Invalid value: "
                            "{\"Group\":\"\",\"Resource\":\"services\",\"Namespace\":\"n\","
                            "\"Name\":\"t\"}: field is immutable"}}});
}

TEST(ServiceRanges, ServiceCIDR) {
  constexpr char kRange[] = R"({"metadata": {"name": "r"}, "spec": {"cidrs": ["10.0.0.0/24"]}})";
  ExpectCreate<ServiceCIDR>(
      kRange,
      {{{R"(spec.cidrs=["10.0.0.0/24","2001:db8::/64"])"}, {}},
       {{"spec.cidrs=[]"}, {"spec.cidrs: Required value: at least one CIDR required"}},
       {{R"(spec.cidrs=["a","b","c"])"},
        {"spec.cidrs: Invalid value: {\"CIDRs\":[\"a\",\"b\",\"c\"]}: may only hold up to 2 "
         "values"}},
       {{R"(spec.cidrs=["x","y"])"},
        {"spec.cidrs[0]: Invalid value: \"x\": " + kBadCIDR,
         "spec.cidrs[1]: Invalid value: \"y\": " + kBadCIDR}},
       {{R"(spec.cidrs=["10.0.0.0/24","10.1.0.0/24"])"},
        {"spec.cidrs: Invalid value: [\"10.0.0.0/24\",\"10.1.0.0/24\"]: may specify no more than "
         "one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"}}});
  ExpectUpdate<ServiceCIDR>(
      kRange, {{{R"(spec.cidrs=["10.0.0.0/24","2001:db8::/64"])"}, {}},
               {{R"(spec.cidrs=["10.1.0.0/24"])"},
                {"spec.cidrs[0]: Invalid value: \"10.1.0.0/24\": field is immutable"}},
               {{R"(spec.cidrs=["10.1.0.0/24","2001:db8::/64"])"},
                {"spec.cidrs[0]: Invalid value: \"10.1.0.0/24\": field is immutable"}}});
  ExpectUpdate<ServiceCIDR>(
      Edited(kRange, {R"(spec.cidrs=["10.0.0.0/24","2001:db8::/64"])"}),
      {{{R"(spec.cidrs=["10.0.0.0/24"])"},
        {"spec.cidrs: Invalid value: [\"10.0.0.0/24\"]: field is immutable"}}});
}

}  // namespace
}  // namespace podium::api
