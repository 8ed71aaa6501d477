#include "history/vault_settings.h"

#include <gtest/gtest.h>

#include "reference/event_builder.h"

namespace keyvigil {
namespace {

AccessEvent telling(std::string_view acls, TriState rbac = TriState::kAbsent) {
  AccessEvent event = EventBuilder().operation("VaultGet").set(TextField::kNetworkAcls, acls).build();
  event.rbac_authorization = rbac;
  return event;
}

TEST(VaultSettings, WhatIsToldFirstIsNoChange) {
  VaultSettings settings;
  EXPECT_FALSE(settings.learn(telling("bypass=azureservices;defaultaction=deny", TriState::kTrue)));
  EXPECT_FALSE(settings.learn(telling("bypass=azureservices;defaultaction=deny", TriState::kTrue)));
  EXPECT_TRUE(settings.learn(telling("bypass=azureservices;defaultaction=allow")));
  EXPECT_TRUE(settings.learn(telling("", TriState::kFalse)));
  EXPECT_FALSE(settings.learn(telling("bypass=azureservices;defaultaction=allow", TriState::kFalse)));
}

TEST(VaultSettings, PartsThatARecordLeavesOutAreNotCompared) {
  VaultSettings settings;
  EXPECT_FALSE(settings.learn(telling("bypass=none;defaultaction=deny;iprules=1:00a1")));
  EXPECT_FALSE(settings.learn(telling("bypass=;defaultaction=deny")));
  EXPECT_FALSE(settings.learn(telling("bypass=;defaultaction=;subnetrules=1:00b2")));
  EXPECT_TRUE(settings.learn(telling("bypass=;defaultaction=;iprules=2:00a2")));
  EXPECT_FALSE(settings.learn(telling("publicaccess=disabled")));
  EXPECT_TRUE(settings.learn(telling("publicaccess=enabled")));
}

TEST(VaultSettings, TextOfNoFormSaysNothing) {
  VaultSettings settings;
  for (const std::string_view text : {"", ";", "=", "bypass", "defaultaction=", ";;;", "x=1"}) {
    EXPECT_FALSE(settings.learn(telling(text))) << text;
  }
  EXPECT_FALSE(settings.learn(telling("defaultaction=deny")));
}

}  // namespace
}  // namespace keyvigil
