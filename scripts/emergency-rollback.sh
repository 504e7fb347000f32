#!/usr/bin/env bash
# Takes all customers back to the stable side with the AWS CLI and nothing of ours running.
#
#   RULE_ARN=arn:aws:elasticloadbalancing:... scripts/emergency-rollback.sh [STABLE_SLOT]
#
# Which side is stable is read from the rule's own tags (release-gates:stable); without tags the slot has to be named
# and nothing is guessed. Safe to run twice, at any moment, beside a live engine. Exit codes: 0 all customers are back,
# read back; 2 bad input, nothing changed; 12 changed but not read back.
set -euo pipefail

export AWS_PAGER="" AWS_MAX_ATTEMPTS=5 AWS_RETRY_MODE=standard
CLI="aws --cli-connect-timeout 5 --cli-read-timeout 10 --output json"

fail() { echo "emergency-rollback: $1" >&2; exit "${2:-2}"; }

[ -n "${RULE_ARN:-}" ] || fail "RULE_ARN is not set. It stands on the break-glass card of the rollout, or: aws elbv2 describe-rules"
command -v aws >/dev/null || fail "the AWS CLI is not installed"

echo "EMERGENCY ROLLBACK INITIATED $(date -u +%Y-%m-%dT%H:%M:%SZ) $RULE_ARN"

STABLE="${1:-$($CLI elbv2 describe-tags --resource-arns "$RULE_ARN" --output text \
  --query "TagDescriptions[0].Tags[?Key=='release-gates:stable'].Value | [0]")}"
case "$STABLE" in
  "" | None) fail "the rule has no tag release-gates:stable; name the slot that shall get all customers: $0 blue|green" ;;
esac

GROUPS_JSON=$($CLI elbv2 describe-rules --rule-arns "$RULE_ARN" \
  --query "Rules[0].Actions[?Type=='forward'].ForwardConfig.TargetGroups[].[TargetGroupArn, Weight]" --output text)
STABLE_ARN=$(echo "$GROUPS_JSON" | awk -v slot="-$STABLE/" 'index($1, slot) { print $1 }')
[ "$(echo "$GROUPS_JSON" | wc -l)" -le 2 ] || fail "the rule forwards to more than two groups; change it by hand"
[ "$(echo "$STABLE_ARN" | grep -c .)" = 1 ] || fail "no single target group of the rule belongs to slot '$STABLE': $GROUPS_JSON"

# All actions as they are, the two weights apart. OIDC secrets are not returned by AWS, so the existing one is named.
NEW="Rules[0].[Actions[?Type=='authenticate-oidc'].merge(@, {AuthenticateOidcConfig: merge(AuthenticateOidcConfig,
  {UseExistingClientSecret: \`true\`})}), Actions[?Type!='authenticate-oidc' && Type!='forward'],
  Actions[?Type=='forward'].merge(@, {TargetGroupArn: \`null\`, ForwardConfig: merge(ForwardConfig, {TargetGroups: [
    ForwardConfig.TargetGroups[?TargetGroupArn=='$STABLE_ARN'].merge(@, {Weight: \`100\`}),
    ForwardConfig.TargetGroups[?TargetGroupArn!='$STABLE_ARN'].merge(@, {Weight: \`0\`})][]})})][]"
ACTIONS=$($CLI elbv2 describe-rules --rule-arns "$RULE_ARN" --query "$NEW" |
  tr -d '\n' | sed -E 's/"TargetGroupArn": *null,?//g; s/, *}/}/g')
$CLI elbv2 modify-rule --rule-arn "$RULE_ARN" --actions "$ACTIONS" >/dev/null

# A live engine sees the share of 0 by itself. The note for it may fail: nothing here waits for the state table.
if [ -n "${STATE_TABLE:-}" ]; then
  NOTE=$(printf '{"at":%s.0,"by":"%s","kind":"abort","reason":"emergency-rollback.sh","seconds":0.0}' "$(date +%s)" "${USER:-operator}")
  ITEM=$(printf '{"pk":{"S":"rule#%s"},"sk":{"S":"request"},"kind":{"S":"abort"},"body":{"S":"%s"}}' \
    "$RULE_ARN" "$(printf '%s' "$NOTE" | sed 's/"/\\"/g')")
  timeout 1 $CLI dynamodb put-item --table-name "$STATE_TABLE" --item "$ITEM" >/dev/null 2>&1 ||
    echo "The abort could not be noted in $STATE_TABLE within 1 s; that changes nothing here."
fi

LEFT=$($CLI elbv2 describe-rules --rule-arns "$RULE_ARN" --output text --query \
  "sum(Rules[0].Actions[?Type=='forward'].ForwardConfig.TargetGroups[] | [?TargetGroupArn!='$STABLE_ARN'].Weight)")
[ "${LEFT%.*}" = 0 ] || fail "changed, but the other side still has weight $LEFT: run this again" 12
echo "EMERGENCY ROLLBACK READ BACK: all customers are on $STABLE. Not yet verified: ask the public /health who answers."
