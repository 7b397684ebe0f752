export type Stage = {
  name: string;
  probability: number;
  forecastCategory: string;
  isClosed: boolean;
  isWon: boolean;
};

export const forecastCategories = [
  'Omitted',
  'Pipeline',
  'Best Case',
  'Most Likely',
  'Commit',
  'Closed',
] as const;

function open(name: string, probability: number, forecastCategory: string): Stage {
  return { name, probability, forecastCategory, isClosed: false, isWon: false };
}

/** The stages of a stock org. Source: Object Reference, OpportunityStage. */
export const stages: readonly Stage[] = [
  open('Prospecting', 10, 'Pipeline'),
  open('Qualification', 10, 'Pipeline'),
  open('Needs Analysis', 20, 'Pipeline'),
  open('Value Proposition', 50, 'Pipeline'),
  open('Id. Decision Makers', 60, 'Pipeline'),
  open('Perception Analysis', 70, 'Pipeline'),
  open('Proposal/Price Quote', 75, 'Pipeline'),
  open('Negotiation/Review', 90, 'Pipeline'),
  { name: 'Closed Won', probability: 100, forecastCategory: 'Closed', isClosed: true, isWon: true },
  { name: 'Closed Lost', probability: 0, forecastCategory: 'Omitted', isClosed: true, isWon: false },
];

/** What an unknown stage means: Salesforce keeps it as an inactive value, open and without odds. */
export function stageFor(name: string): Stage {
  return stages.find((stage) => stage.name === name) ?? open(name, 0, 'Pipeline');
}
