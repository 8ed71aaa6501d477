#include "sink/webhook_signature.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

TEST(WebhookSignature, IsThatOfTheSpecificationsExample) {
  // The test vector that the Standard Webhooks reference libraries share.
  const auto key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(webhook_signature(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookKey, IsTakenWithAndWithoutItsPrefix) {
  EXPECT_EQ(webhook_key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value(),
            webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value());
  EXPECT_EQ(webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")->size(), 24U);
}

TEST(WebhookKey, IsRefusedWhereItIsNoneAndIsNotRepeated) {
  for (const char* secret : {"", "whsec_", "whsec_c2hvcnQ=", "not base64 at all, but long enough to be a key !!",
                             "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS====="}) {
    const auto key = webhook_key(secret);
    ASSERT_FALSE(key) << secret;
    if (std::string_view(secret).size() <= 6) { continue; }
    EXPECT_EQ(key.error().message.find(secret + 6), std::string::npos) << secret;
  }
}

}  // namespace
}  // namespace keyvigil
