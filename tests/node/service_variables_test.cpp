#include "node/service_variables.h"

#include <gtest/gtest.h>

#include <string>

#include "reflect/json.h"
#include "reflect/yaml.h"

namespace podium::node {
namespace {

std::shared_ptr<const v1::Service> ServiceOf(const std::string& name, const std::string& spec) {
  const auto text = reflect::YamlToJson("apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
                                        "}\nspec: {" + spec + "}\n");
  EXPECT_TRUE(text.ok());
  auto service = reflect::FromJson<v1::Service>(text->json);
  EXPECT_TRUE(service.ok()) << service.error().message();
  return std::make_shared<const v1::Service>(*std::move(service));
}

std::string Show(const std::vector<std::shared_ptr<const v1::Service>>& services) {
  std::string out;
  for (const auto& variable : ServiceVariables(services).variables()) {
    out += variable.name + "=" + variable.value + "\n";
  }
  return out;
}

TEST(ServiceVariables, AsUpstreamNamesThem) {
  EXPECT_EQ(Show({ServiceOf("my-web",
                            "clusterIP: 10.96.0.7, ports: [{port: 80, protocol: TCP}, "
                            "{name: metrics-http, port: 9090}, "
                            "{name: dns, port: 53, protocol: UDP}]")}),
            "MY_WEB_SERVICE_HOST=10.96.0.7\n"
            "MY_WEB_SERVICE_PORT=80\n"
            "MY_WEB_SERVICE_PORT_METRICS_HTTP=9090\n"
            "MY_WEB_SERVICE_PORT_DNS=53\n"
            "MY_WEB_PORT=tcp://10.96.0.7:80\n"
            "MY_WEB_PORT_80_TCP=tcp://10.96.0.7:80\n"
            "MY_WEB_PORT_80_TCP_PROTO=tcp\n"
            "MY_WEB_PORT_80_TCP_PORT=80\n"
            "MY_WEB_PORT_80_TCP_ADDR=10.96.0.7\n"
            "MY_WEB_PORT_9090_TCP=tcp://10.96.0.7:9090\n"
            "MY_WEB_PORT_9090_TCP_PROTO=tcp\n"
            "MY_WEB_PORT_9090_TCP_PORT=9090\n"
            "MY_WEB_PORT_9090_TCP_ADDR=10.96.0.7\n"
            "MY_WEB_PORT_53_UDP=udp://10.96.0.7:53\n"
            "MY_WEB_PORT_53_UDP_PROTO=udp\n"
            "MY_WEB_PORT_53_UDP_PORT=53\n"
            "MY_WEB_PORT_53_UDP_ADDR=10.96.0.7\n");
}

TEST(ServiceVariables, AddressesOfSixthVersionStandInBracketsBeforeAPort) {
  const std::string text = Show({ServiceOf("a", "clusterIP: 'fd00::1', ports: [{port: 443}]")});
  EXPECT_NE(text.find("A_SERVICE_HOST=fd00::1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("A_PORT=tcp://[fd00::1]:443\n"), std::string::npos) << text;
  EXPECT_NE(text.find("A_PORT_443_TCP_ADDR=fd00::1\n"), std::string::npos) << text;
}

TEST(ServiceVariables, WithoutAnAddressThereAreNone) {
  EXPECT_EQ(Show({ServiceOf("a", "clusterIP: None, ports: [{port: 1}]"),
                  ServiceOf("b", "type: ExternalName, externalName: example.com"),
                  ServiceOf("c", "clusterIP: 10.0.0.1")}),
            "");
}

TEST(ServiceVariables, OneServiceAfterAnother) {
  const std::string text = Show({ServiceOf("b", "clusterIP: 10.0.0.1, ports: [{port: 1}]"),
                                 ServiceOf("a", "clusterIP: 10.0.0.2, ports: [{port: 2}]")});
  EXPECT_LT(text.find("B_SERVICE_HOST"), text.find("A_SERVICE_HOST")) << text;
}

}  // namespace
}  // namespace podium::node
