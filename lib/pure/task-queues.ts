/** The names by which processes find each other in Temporal. */
export const exchangeQueue = 'exchange';

/** Workers that can reach the department's sources. */
export function sourceQueue(department: string): string {
  return `source-${department}`;
}

/** One request is looked after by one workflow, from its submission to its end. */
export function requestWorkflowId(request: string): string {
  return `request/${request}`;
}

/** One case is looked after by one workflow, from its opening to its end. */
export function caseWorkflowId(id: string): string {
  return `case/${id}`;
}

/** One dataset is published by one workflow at a time. */
export function publishWorkflowId(dataset: string): string {
  return `publish/${dataset}`;
}
