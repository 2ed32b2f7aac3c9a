/** Every schema of an API resource, for Fastify's `addSchema`; routes refer to them as `{ $ref: 'dataset#' }`. */
import caseResource from './case.json' with { type: 'json' };
import caseEvent from './case-event.json' with { type: 'json' };
import change from './change.json' with { type: 'json' };
import contract from './contract.json' with { type: 'json' };
import dataset from './dataset.json' with { type: 'json' };
import datasetSummary from './dataset-summary.json' with { type: 'json' };
import department from './department.json' with { type: 'json' };
import duty from './duty.json' with { type: 'json' };
import entryImpact from './entry-impact.json' with { type: 'json' };
import entryReview from './entry-review.json' with { type: 'json' };
import finding from './finding.json' with { type: 'json' };
import grant from './grant.json' with { type: 'json' };
import health from './health.json' with { type: 'json' };
import item from './item.json' with { type: 'json' };
import metering from './metering.json' with { type: 'json' };
import person from './person.json' with { type: 'json' };
import plan from './plan.json' with { type: 'json' };
import problem from './problem.json' with { type: 'json' };
import rating from './rating.json' with { type: 'json' };
import recall from './recall.json' with { type: 'json' };
import request from './request.json' with { type: 'json' };
import requestDecision from './request-decision.json' with { type: 'json' };
import requestEvent from './request-event.json' with { type: 'json' };
import requestPreview from './request-preview.json' with { type: 'json' };
import requestTerms from './request-terms.json' with { type: 'json' };
import run from './run.json' with { type: 'json' };
import sharingClass from './sharing-class.json' with { type: 'json' };
import source from './source.json' with { type: 'json' };
import state from './state.json' with { type: 'json' };
import subjectAccess from './subject-access.json' with { type: 'json' };
import token from './token.json' with { type: 'json' };
import tokenCreated from './token-created.json' with { type: 'json' };
import upload from './upload.json' with { type: 'json' };
import version from './version.json' with { type: 'json' };
import words from './words.json' with { type: 'json' };

export const apiSchemas = [
  subjectAccess,
  recall,
  rating,
  metering,
  duty,
  caseEvent,
  caseResource,
  change,
  contract,
  datasetSummary,
  dataset,
  department,
  entryImpact,
  entryReview,
  finding,
  grant,
  health,
  item,
  person,
  plan,
  problem,
  requestDecision,
  requestEvent,
  requestPreview,
  requestTerms,
  request,
  run,
  sharingClass,
  source,
  state,
  tokenCreated,
  token,
  upload,
  version,
  words,
];

/** A page of a list: `items` of the schema named, and the cursor of the next page, which is opaque. */
export function pageOf(schemaId: string) {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['items'],
    properties: {
      items: { type: 'array', items: { $ref: `${schemaId}#` } },
      next: { type: 'string', description: 'Hand it back as ?cursor=…; absent on the last page.' },
    },
  } as const;
}
