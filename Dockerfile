# One image for every process; the command chooses which:
#   node api/main.ts (default) · node worker/main.ts · node sandbox/main.ts
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    # The Node pinned in package-lock.json comes first: all installations run the same one.
    PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
# What belongs in the image is listed in .dockerignore.
COPY . .
USER node
EXPOSE 3000
CMD ["node", "api/main.ts"]
