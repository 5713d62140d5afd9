/* ACTION(id, name): what a device can ask for, in the order of enum policy_action (spec section 9).
 * A compiled program holds these places as bits: rows are added at the end only, and with a new
 * PROGRAM_MAGIC (policy/program.h). */
ACTION(CONNECT, "iot:Connect")
ACTION(PUBLISH, "iot:Publish")
ACTION(SUBSCRIBE, "iot:Subscribe")
ACTION(RECEIVE, "iot:Receive")
ACTION(RETAIN_PUBLISH, "iot:RetainPublish")
ACTION(GET_RETAINED, "iot:GetRetainedMessage")
ACTION(LIST_RETAINED, "iot:ListRetainedMessages")
ACTION(GET_SHADOW, "iot:GetThingShadow")
ACTION(UPDATE_SHADOW, "iot:UpdateThingShadow")
ACTION(DELETE_SHADOW, "iot:DeleteThingShadow")
ACTION(LIST_NAMED_SHADOWS, "iot:ListNamedShadowsForThing")
ACTION(DESCRIBE_JOB, "iot:DescribeJobExecution")
ACTION(GET_PENDING_JOBS, "iot:GetPendingJobExecutions")
ACTION(START_NEXT_JOB, "iot:StartNextPendingJobExecution")
ACTION(UPDATE_JOB, "iot:UpdateJobExecution")
ACTION(ASSUME_ROLE, "iot:AssumeRoleWithCertificate")
