#include "api/validation/endpoint_slice.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using discovery::v1::EndpointSlice;

constexpr char kSlice[] = R"({
  "metadata": {"name": "s", "namespace": "n"}, "addressType": "IPv4",
  "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"name": "http", "port": 80}]})";

TEST(EndpointSlice, Endpoints) {
  const std::string many(R"(["10.0.0.1")" + [] {
    std::string rest;
    for (int i = 0; i < 100; ++i) rest += ",\"10.0.0.1\"";
    return rest + "]";
  }());
  ExpectCreate<EndpointSlice>(
      kSlice,
      {{{"endpoints[0].nodeName=\"n\"", "endpoints[0].hostname=\"h\"",
         R"(endpoints[0].hints={"forZones":[{"name":"z"}],"forNodes":[{"name":"n"}]})"},
        {}},
       {{"addressType=\"FQDN\"", R"(endpoints[0].addresses=["a.b"])"}, {}},
       {{"addressType=\"IPv6\"", R"(endpoints[0].addresses=["2001:db8::1"])"}, {}},
       {{"addressType=\"\""}, {"addressType: Required value"}},
       {{"addressType=\"X\""},
        {"addressType: Unsupported value: \"X\": supported values: \"FQDN\", \"IPv4\", \"IPv6\""}},
       {{"endpoints[0].addresses=[]"},
        {"endpoints[0].addresses: Required value: must contain at least 1 address"}},
       {{"endpoints[0].addresses=" + many},
        {"endpoints[0].addresses: Too many: 101: must have at most 100 items"}},
       {{R"(endpoints[0].addresses=["127.0.0.1"])", "endpoints[0].nodeName=\"N\"",
         "endpoints[0].hostname=\"H\"", "endpoints[0].deprecatedTopology.a=\"-\"",
         "endpoints[0].deprecatedTopology['topology.kubernetes.io/zone']=\"z\""},
        {("endpoints[0].addresses[0]: Invalid value: \"127.0.0.1\": may not be in the loopback "
          "range "
          "(127.0.0.0/8, ::1/128)"),
         "endpoints[0].nodeName: Invalid value: \"N\": " + kBadSubdomain,
         "endpoints[0].deprecatedTopology: Invalid value: \"-\": " + kBadLabelValue,
         "endpoints[0].deprecatedTopology[topology.kubernetes.io/zone]: Internal error: reserved "
         "key was not removed in conversion",
         "endpoints[0].hostname: Invalid value: \"H\": " + kBadLabel}},
       {{R"(endpoints[0].hints={"forZones":[{"name":"-"},{"name":"-"}],"forNodes":[{"name":"N"}]})"},
        {"endpoints[0].hints.forZones[0].name: Invalid value: \"-\": " + kBadLabelValue,
         "endpoints[0].hints.forZones[1].name: Duplicate value: \"-\"",
         "endpoints[0].hints.forZones[1].name: Invalid value: \"-\": " + kBadLabelValue,
         "endpoints[0].hints.forNodes[0].name: Invalid value: \"N\": " + kBadSubdomain}},
       {{R"(endpoints[0].hints.forZones=[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"},{"name":"e"},{"name":"f"},{"name":"g"},{"name":"h"},{"name":"i"}])",
         R"(endpoints[0].hints.forNodes=[{"name":"N"}])"},
        {"endpoints[0].hints.forZones: Too many: 9: must have at most 8 items"}}});
}

TEST(EndpointSlice, Ports) {
  ExpectCreate<EndpointSlice>(
      kSlice, {{{R"(ports=[{"name":"A","protocol":"X","appProtocol":"-"},{"name":"A"}])"},
                {"ports[0].name: Invalid value: \"A\": " + kBadLabel,
                 ("ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", "
                  "\"TCP\", \"UDP\""),
                 "ports[0].appProtocol: Invalid value: \"-\": " + kBadQualified,
                 "ports[1].name: Invalid value: \"A\": " + kBadLabel,
                 "ports[1].name: Duplicate value: \"A\""}},
               // Only what is not there at all is missing.
               {{"ports[0].protocol=\"\""},
                {"ports[0].protocol: Unsupported value: \"\": supported values: \"SCTP\", "
                 "\"TCP\", \"UDP\""}}});
  auto slice = Load<EndpointSlice>(kSlice);
  slice.ports[0].protocol.reset();
  EXPECT_THAT(Texts(ValidateEndpointSlice(slice)),
              ::testing::ElementsAre("ports[0].protocol: Required value"));
  slice.ports.resize(20001);
  slice.endpoints.resize(1001);
  EXPECT_THAT(Texts(ValidateEndpointSlice(slice)),
              ::testing::ElementsAre("endpoints: Too many: 1001: must have at most 1000 items",
                                     "ports: Too many: 20001: must have at most 20000 items"));
}

TEST(EndpointSlice, Update) {
  ExpectUpdate<EndpointSlice>(kSlice,
                              {{{R"(endpoints[0].addresses=["10.0.0.2"])"}, {}},
                               {{"addressType=\"FQDN\"", R"(endpoints[0].addresses=["a.b"])"},
                                {"addressType: Invalid value: \"FQDN\": field is immutable"}}});
  ExpectUpdate<EndpointSlice>(Edited(kSlice, {R"(endpoints[0].addresses=["127.0.0.1"])"}),
                              {{{"metadata.labels.a=\"b\""}, {}}});
}

TEST(EndpointSlice, OlderVersion) {
  using OldSlice = discovery::v1beta1::EndpointSlice;
  ExpectCreate<OldSlice>(
      kSlice,
      {{{"endpoints[0].topology['topology.kubernetes.io/zone']=\"-\""}, {}},
       {{"endpoints[0].topology['kubernetes.io/hostname']=\"N\"", "endpoints[0].topology.a=\"-\""},
        {"endpoints[0].nodeName: Invalid value: \"N\": " + kBadSubdomain,
         "endpoints[0].deprecatedTopology: Invalid value: \"-\": " + kBadLabelValue}}});
  ExpectUpdate<OldSlice>(kSlice, {{{"addressType=\"IPv6\"", R"(endpoints=[])"},
                                   {"addressType: Invalid value: \"IPv6\": field is immutable"}}});
}

}  // namespace
}  // namespace podium::api
