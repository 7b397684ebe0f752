import type { Field } from './field.ts';

/** An object of the org before switches are applied. */
export type ObjectOptions = {
  name: string;
  label: string;
  labelPlural: string;
  keyPrefix: string;
  fields: Field[];
  /** Child subqueries by relationship name. */
  children?: Record<string, { object: string; field: string }>;
  createable?: boolean;
  /** False for objects whose records only change by being replaced. */
  updateable?: boolean;
  /** The switch that brings the object into the org; absent: always there. */
  enabledBy?: 'topics' | 'classic_tags' | 'multi_currency';
};
