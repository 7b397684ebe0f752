import { describe, expect, it } from 'vitest';
import { type AccountFacts, PROVIDERS } from '../../shared/domain/integrated-account.ts';
import { descriptorOf } from '../../shared/providers/descriptors.ts';
import { describeCreate } from '../../shared/use-cases/describe-create.ts';

const facts: AccountFacts = {
  fetchedAtMs: 0,
  stages: [
    { id: 's1', name: 'New', status: 'open', active: true },
    { id: 's2', name: 'Gone', status: 'lost', active: false },
  ],
  owners: [{ id: 'u1', name: 'Ann', active: true }],
  customFields: [
    { key: 'f1', label: 'Tier', type: 'choices', creatable: true, multiple: false, options: ['A', 'B'] },
    { key: 'f2', label: 'Formula', type: 'text', creatable: false, multiple: false },
  ],
  currency: { mode: 'organisation', code: 'EUR' },
  user: { id: 'u1', name: 'Ann' },
  features: {},
};

type Schema = {
  properties: Record<string, Schema>;
  enum?: string[];
  required?: string[];
  examples?: string[];
};

describe('describeCreate', () => {
  it.each(PROVIDERS)('names what %s requires', (provider) => {
    const descriptor = descriptorOf(provider);
    const described = describeCreate(descriptor);
    const schema = described.request_body_schema as unknown as Schema;
    const required = described.fields.filter((field) => field.required).map(({ name }) => name);
    expect(required).toEqual(schema.required);
    for (const { field } of descriptor.required) expect(required).toContain(field);
    expect(described.fields).toHaveLength(13);
    expect(described.documentation_link).toBe(descriptor.docsUrl);
    expect(described.fields.every(({ allowed_values }) => allowed_values === null)).toBe(true);
    expect(JSON.stringify(described)).not.toContain('$ref');
  });

  it('shows the values of one account, active and writable ones only', () => {
    const settings = { defaults: { owner: { id: 'u1' } } };
    const described = describeCreate(descriptorOf('close'), { settings, facts });
    const { properties, required } = described.request_body_schema as unknown as Schema;
    expect(properties.stage?.properties.name?.enum).toEqual(['New']);
    expect(properties.owner?.properties.id?.enum).toEqual(['u1']);
    expect(properties.currency?.enum).toEqual(['EUR']);
    expect(Object.keys(properties.custom_fields?.properties ?? {})).toEqual(['f1']);
    expect(properties.custom_fields?.properties.f1?.enum).toEqual(['A', 'B']);
    // A default of the account takes the duty from the caller.
    expect(required).not.toContain('owner');
    expect(described.default_body).toEqual(settings.defaults);
    expect(described.fields.find(({ name }) => name === 'stage')?.allowed_values).toEqual([
      { id: 's1', name: 'New', status: 'open' },
    ]);
  });

  it('has the bounds of the provider where they are narrower than the model’s', () => {
    const described = describeCreate(descriptorOf('salesforce'));
    const { properties } = described.request_body_schema as unknown as Schema;
    for (const [name, maxLength] of Object.entries({ name: 120, description: 32_000 })) {
      expect(properties[name]).toMatchObject({ type: 'string', maxLength });
      expect(described.fields.find((field) => field.name === name)?.limits).toMatchObject({ maxLength });
    }
    const close = describeCreate(descriptorOf('close')).fields.find(({ name }) => name === 'name');
    expect(close?.limits).toMatchObject({ maxLength: 2_000 });
  });

  it('says of each account what it has no place for', () => {
    const supportOf = (settings: object, mode: AccountFacts['currency']['mode']) =>
      describeCreate(descriptorOf('salesforce'), { settings, facts: { ...facts, currency: { mode } } })
        .fields.filter(({ name }) => name === 'currency' || name === 'created_at')
        .map(({ support }) => support);
    expect(supportOf({}, 'organisation')).toEqual(['unsupported', 'unsupported']);
    expect(supportOf({ salesforce: { audit_fields: true } }, 'per_record')).toEqual([
      'supported',
      'supported',
    ]);
  });

  it('only suggests stages where the provider takes any', () => {
    const free = { ...facts, features: { restrictedStage: false } };
    const described = describeCreate(descriptorOf('salesforce'), { settings: {}, facts: free });
    const { properties } = described.request_body_schema as unknown as Schema;
    expect(properties.stage?.properties.name?.enum).toBeUndefined();
    expect(properties.stage?.properties.name?.examples).toEqual(['New']);
  });
});
